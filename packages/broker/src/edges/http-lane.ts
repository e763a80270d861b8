import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ApiAnswer, callApi, hasApiMethod } from '../core/api/api.ts';
import { NO_SLOT, type Waiter } from '../core/deadlines.ts';
import type { Engine } from '../core/engine.ts';
import { jsonBytes } from '../protocol/byte-string.ts';
import type { Credentials } from './api-key.ts';
import type { EndOfTurn, TurnWriter } from './end-of-turn.ts';
import type { RequestHead, RequestHeads } from './request-head.ts';
import type { UpgradeRequest } from './websocket-handshake.ts';

/** Time for a request that has begun, and for the first byte of a new connection. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Unsent answers of one connection at which it is no longer read. */
const MAX_UNSENT_BYTES = 1024 * 1024;

const UNAUTHORIZED = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** The body's length, if the request is one that the lane serves. */
function apiBodyLength({ method, target, headers }: RequestHead, prefix: string): number | undefined {
  if (!headers.has('host')) return undefined;
  if (method !== 'POST' || !target.startsWith(prefix) || target === prefix) return undefined;
  if (!hasApiMethod(target.slice(prefix.length))) return undefined;
  const length = headers.get('content-length');
  if (length === undefined || !/^\d{1,8}$/.test(length)) return undefined;
  if (headers.has('transfer-encoding') || headers.has('expect') || headers.has('upgrade')) return undefined;
  const connection = headers.get('connection');
  return connection === undefined || connection.toLowerCase() === 'keep-alive' ? Number(length) : undefined;
}

function isWebSocketUpgrade({ method, headers }: RequestHead): boolean {
  return method === 'GET' && headers.has('host') && headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/** What a connection may become. */
export interface LaneExits {
  upgrade(request: UpgradeRequest, socket: Socket, head: Buffer): void;
  /** Gives the connection to Node's HTTP server, with the bytes read of a request that it shall serve. */
  handOver(socket: Socket, bytes: Buffer): void;
  /** The lane has nothing more to do with it. */
  done(lane: ApiLane): void;
}

/** Errors of a socket end in 'close', which is listened to. */
function ignore(): void {}

/**
 * Reads a new connection and serves the two kinds of requests that come in numbers, plain API calls and WebSocket upgrades, at half the cost of
 * Node's HTTP server. With the first request of any other kind the whole connection goes to that server, for good.
 */
export class ApiLane implements Waiter, TurnWriter {
  slot = NO_SLOT;
  readonly #socket: Socket;
  readonly #engine: Engine;
  readonly #isKeyRight: (credentials: Credentials) => boolean;
  readonly #exits: LaneExits;
  readonly #heads: RequestHeads;
  readonly #endOfTurn: EndOfTurn;
  readonly #prefix: string;
  readonly #onData: (chunk: Buffer) => void;
  readonly #onClose: () => void;
  #onEnd: (() => void) | undefined = undefined;
  /** Bytes of a request that is not complete. */
  #rest: Buffer[] = [];
  /** How many are needed before it is worth looking again. */
  #needed = 0;
  /** Answers that leave at the end of the turn. */
  #answers = '';

  constructor(
    socket: Socket,
    engine: Engine,
    isKeyRight: (credentials: Credentials) => boolean,
    exits: LaneExits,
    heads: RequestHeads,
    endOfTurn: EndOfTurn,
  ) {
    this.#socket = socket;
    this.#engine = engine;
    this.#isKeyRight = isKeyRight;
    this.#exits = exits;
    this.#heads = heads;
    this.#endOfTurn = endOfTurn;
    this.#prefix = engine.settings.httpApi.disabled
      ? '\n'
      : `${engine.settings.httpApi.handlerPrefix.replace(/\/+$/, '')}/`;
    this.#onData = this.#received.bind(this);
    this.#onClose = this.#release.bind(this);
    socket.on('data', this.#onData);
    socket.on('close', this.#onClose);
    socket.on('error', ignore);
    this.#waitFor(REQUEST_TIMEOUT_MS);
  }

  onDeadline(): void {
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #waitFor(timeoutMs: number): void {
    this.#engine.deadlines.schedule(this, this.#engine.nowMs + timeoutMs);
  }

  #received(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      this.#rest.push(chunk);
      this.#needed -= chunk.length;
      if (this.#needed > 0) return;
      bytes = Buffer.concat(this.#rest);
      this.#rest = [];
    }
    this.#serve(bytes);
  }

  /** Answers all complete requests in `bytes`. */
  #serve(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    let at = 0;
    while (at < text.length) {
      const request = at === 0 ? text : text.slice(at);
      const head = this.#heads.read(request);
      const length = head && apiBodyLength(head, this.#prefix);
      if (!head || length === undefined || length > this.#engine.settings.httpApi.maxRequestBodySize) {
        this.writeNow();
        this.#leave(head, bytes.subarray(at));
        return;
      }
      // Before the body: nobody without the key makes the broker wait for one.
      if (!this.#mayCall(head)) {
        this.writeNow();
        this.#release();
        this.#socket.end(UNAUTHORIZED, 'latin1');
        return;
      }
      this.#heads.remember(head, request);
      const end = at + head.end + length;
      if (end > text.length) {
        this.#rest = [bytes.subarray(at)];
        this.#needed = end - text.length;
        break;
      }
      this.#answer(answerText(this.#call(head, bytes.subarray(at + head.end, end))));
      at = end;
    }
    this.#waitFor(this.#rest.length > 0 ? REQUEST_TIMEOUT_MS : KEEP_ALIVE_TIMEOUT_MS);
  }

  #mayCall({ headers }: RequestHead): boolean {
    return this.#isKeyRight({
      xApiKey: headers.get('x-api-key'),
      authorization: headers.get('authorization'),
      query: '',
    });
  }

  #call({ target, headers }: RequestHead, body: Buffer): ApiAnswer {
    const { isTransportErrorMode } = this.#engine.settings.httpApi;
    const isTransport = isTransportErrorMode || headers.get('x-centrifugo-error-mode') === 'transport';
    return callApi(this.#engine, target.slice(this.#prefix.length), jsonBytes(body), isTransport);
  }

  #answer(text: string): void {
    if (!this.#onEnd) {
      // A client that says no more than its request still gets the answer: Node ends the connection as soon as it hears the end.
      this.#onEnd = this.writeNow.bind(this);
      this.#socket.prependListener('end', this.#onEnd);
    }
    if (this.#answers === '') this.#endOfTurn.add(this);
    this.#answers += text;
  }

  /** Writes the answers that there are, in one piece. */
  writeNow(): void {
    const answers = this.#answers;
    if (answers === '') return;
    this.#answers = '';
    if (this.#socket.write(answers, 'latin1') || this.#socket.writableLength < MAX_UNSENT_BYTES) return;
    this.#socket.pause();
    this.#socket.once('drain', () => this.#socket.resume());
  }

  #release(): void {
    this.#engine.deadlines.cancel(this);
    this.#socket.off('data', this.#onData);
    this.#socket.off('close', this.#onClose);
    if (this.#onEnd) this.#socket.off('end', this.#onEnd);
    this.#exits.done(this);
  }

  /** The connection is not, or no longer, the lane's business. */
  #leave(head: RequestHead | undefined, bytes: Buffer): void {
    this.#release();
    if (head && isWebSocketUpgrade(head)) {
      const { method, target: url, headers } = head;
      this.#exits.upgrade(
        { method, url, headers: Object.fromEntries(headers) },
        this.#socket,
        bytes.subarray(head.end),
      );
      return;
    }
    this.#socket.pause();
    this.#exits.handOver(this.#socket, bytes);
    process.nextTick(() => this.#socket.resume());
  }
}

function answerText({ status, body, isJson }: ApiAnswer): string {
  const type = isJson ? 'application/json' : 'text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff';
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
