import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Engine } from '../core/engine.ts';
import type { StreamOptions } from '../core/options.ts';
import { jsonBytes } from '../protocol/byte-string.ts';
import { jsonEncoding, unidirectionalJsonEncoding } from '../protocol/json-encoding.ts';
import { decodeJson } from '../protocol/json-message.ts';
import { protobufEncoding } from '../protocol/protobuf-encoding.ts';
import { decodeProtobuf, ProtobufReader } from '../protocol/protobuf-message.ts';
import { ConnectRequest, EmulationRequest } from '../protocol/schema.ts';
import type { HttpEdge } from './http-server.ts';
import type { Flusher } from './outbox.ts';
import { readBody } from './read-body.ts';
import { type StreamKind, StreamPeer } from './stream-peer.ts';

const PROTOBUF = 'application/octet-stream';
const NO_CACHE = 'private, no-cache, no-store, must-revalidate, max-age=0';

const lines = (messages: readonly string[]) => Buffer.from(`${messages.join('\n')}\n`, 'latin1');
const events = (messages: readonly string[]) =>
  Buffer.from(messages.map((message) => `data: ${message}\n\n`).join(''), 'latin1');

/** HTTP streaming and server-sent events, for clients that also send (by requests to `emulation`) and for those that only listen. */
export class StreamsEdge {
  readonly #engine: Engine;
  readonly #http: HttpEdge;
  readonly #flusher: Flusher;
  readonly #peers = new Set<StreamPeer>();

  constructor(engine: Engine, http: HttpEdge, flusher: Flusher) {
    this.#engine = engine;
    this.#http = http;
    this.#flusher = flusher;
    const { httpStream, sse, emulation, uniSse, uniHttpStream } = engine.settings;
    if (httpStream.enabled || sse.enabled)
      http.route(emulation.handlerPrefix, (request, response) => void this.#emulate(request, response));
    if (httpStream.enabled) this.#serveHttpStream(httpStream);
    if (sse.enabled) this.#serveSse(sse);
    if (uniSse.enabled) this.#serveUniSse(uniSse);
    if (uniHttpStream.enabled) this.#serveUniHttpStream(uniHttpStream);
  }

  get size(): number {
    return this.#peers.size;
  }

  shutDown(): void {
    for (const { session } of this.#peers) session.shutDown();
  }

  #serveHttpStream({ handlerPrefix, maxRequestBodySize }: Required<StreamOptions>): void {
    const shared = { transport: 'http_stream', isUnidirectional: false } as const;
    const json: StreamKind = { ...shared, encoding: jsonEncoding, lineage: this.#flusher.lineage(lines) };
    const joined = this.#flusher.lineage((messages) => Buffer.from(messages.join(''), 'latin1'));
    const protobuf: StreamKind = { ...shared, encoding: protobufEncoding, lineage: joined };
    this.#http.route(handlerPrefix, async (request, response) => {
      const body = await this.#postBody(request, response, maxRequestBodySize);
      if (!body) return;
      const kind = request.headers['content-type'] === PROTOBUF ? protobuf : json;
      this.#open(response, kind).session.receive(body);
    });
  }

  #serveSse({ handlerPrefix, maxRequestBodySize }: Required<StreamOptions>): void {
    const kind: StreamKind = {
      transport: 'sse',
      isUnidirectional: false,
      encoding: jsonEncoding,
      lineage: this.#flusher.lineage(events),
    };
    this.#http.route(handlerPrefix, async (request, response, query) => {
      const body = await this.#getOrPost(request, response, query, maxRequestBodySize);
      if (body === undefined) return;
      if (body.length === 0 && request.method === 'GET') this.#answer(request, response, 400);
      else this.#open(response, kind).session.receive(body);
    });
  }

  #serveUniSse({ handlerPrefix, maxRequestBodySize }: Required<StreamOptions>): void {
    const kind: StreamKind = {
      transport: 'uni_sse',
      isUnidirectional: true,
      encoding: unidirectionalJsonEncoding,
      lineage: this.#flusher.lineage(events),
    };
    this.#http.route(handlerPrefix, async (request, response, query) => {
      const body = await this.#getOrPost(request, response, query, maxRequestBodySize);
      if (body === undefined) return;
      const connect = readConnect(body.length === 0 && request.method === 'GET' ? Buffer.from('{}') : body);
      if (connect) this.#open(response, kind).session.connect(connect);
      else this.#answer(request, response, 400);
    });
  }

  #serveUniHttpStream({ handlerPrefix, maxRequestBodySize }: Required<StreamOptions>): void {
    const kind: StreamKind = {
      transport: 'uni_http_stream',
      isUnidirectional: true,
      encoding: unidirectionalJsonEncoding,
      lineage: this.#flusher.lineage(lines),
    };
    this.#http.route(handlerPrefix, async (request, response) => {
      const body = await this.#postBody(request, response, maxRequestBodySize);
      if (!body) return;
      const connect = readConnect(body);
      if (connect) this.#open(response, kind).session.connect(connect);
      else this.#answer(request, response, 400);
    });
  }

  /** Begins the long response. */
  #open(response: ServerResponse, kind: StreamKind): StreamPeer {
    const isEvents = kind.transport.endsWith('sse');
    response.writeHead(200, {
      ...this.#http.corsHeaders(response.req),
      'x-accel-buffering': 'no',
      'cache-control': NO_CACHE,
      pragma: 'no-cache',
      expire: '0',
      'content-type': contentType(kind),
    });
    if (isEvents) response.write('\r\n');
    else response.flushHeaders();
    const peer = new StreamPeer(this.#engine, response, this.#flusher, kind);
    this.#peers.add(peer);
    response.on('close', () => this.#peers.delete(peer));
    return peer;
  }

  /** The body of a POST. Anything else has been answered. */
  async #postBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer | undefined> {
    if (request.method === 'OPTIONS') {
      this.#answer(request, response, 204, {
        'access-control-max-age': '300',
        'access-control-allow-methods': 'POST, OPTIONS',
      });
      return undefined;
    }
    if (request.method !== 'POST') {
      this.#answer(request, response, 405);
      return undefined;
    }
    const body = await readBody(request, maxBytes);
    if (Buffer.isBuffer(body)) return body;
    if (body === 'too-large') this.#answer(request, response, 413, { connection: 'close' });
    return undefined;
  }

  /** The connect request of an event source: in the query of a GET, or in a POST. */
  async #getOrPost(
    request: IncomingMessage,
    response: ServerResponse,
    query: string,
    maxBytes: number,
  ): Promise<Buffer | undefined> {
    if (request.method === 'GET') return Buffer.from(new URLSearchParams(query).get('cf_connect') ?? '');
    if (request.method === 'POST') return this.#postBody(request, response, maxBytes);
    this.#answer(request, response, 405);
    return undefined;
  }

  /** Commands of a client whose own connection goes one way. */
  async #emulate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await this.#postBody(request, response, this.#engine.settings.emulation.maxRequestBodySize);
    if (!body) return;
    const isProtobuf = request.headers['content-type'] === PROTOBUF;
    const emulation = isProtobuf
      ? decodeProtobuf(EmulationRequest, new ProtobufReader(body.toString('latin1')))
      : decodeJson(EmulationRequest, jsonBytes(body));
    if (!emulation) {
      this.#answer(request, response, 400);
      return;
    }
    if (emulation.node !== this.#engine.nodeId) {
      this.#answer(request, response, 404);
      return;
    }
    const session = this.#engine.hub.bySessionId.get(emulation.session);
    const data = session?.peer.encoding.name === 'protobuf' ? emulation.data : jsonText(emulation.data);
    if (session && data !== undefined) session.receive(Buffer.from(data, 'latin1'));
    // What became of the commands is told on the stream.
    this.#answer(request, response, 204);
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const length: Record<string, string> = status === 204 ? {} : { 'content-length': '0' };
    response.writeHead(status, { ...this.#http.corsHeaders(request), ...length, ...headers });
    response.end();
  }
}

function contentType({ transport, encoding }: StreamKind): string {
  if (transport.endsWith('sse')) return 'text/event-stream; charset=utf-8';
  return encoding.name === 'protobuf' ? PROTOBUF : 'text/plain; charset=utf-8';
}

/** The bytes of a text inside JSON; of `null` none, which is a malformed frame, as for Centrifugo. */
function jsonText(data: string | undefined): string | undefined {
  if (data === undefined) return undefined;
  const text: unknown = JSON.parse(Buffer.from(data, 'latin1').toString());
  if (text === null) return '';
  return typeof text === 'string' ? Buffer.from(text).toString('latin1') : undefined;
}

function readConnect(body: Buffer): ConnectRequest | undefined {
  return decodeJson(ConnectRequest, jsonBytes(body));
}
