import {
  createServer as createHttpServer,
  type Server as HttpServer,
  IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { callApi, hasApiMethod } from '../core/api/api.ts';
import type { Engine } from '../core/engine.ts';
import { matchesGlob } from '../core/glob.ts';
import { jsonEncoding } from '../protocol/json-encoding.ts';
import { createKeyCheck } from './api-key.ts';
import { ApiLane } from './http-lane.ts';
import { readBody } from './read-body.ts';
import type { WebSocketEdge } from './websocket.ts';

/** Time for the whole head of a request. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Time for the whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Pending connections that the kernel keeps. With Node's 511 a storm loses some, which come back a second later; the kernel caps it at its own limit. */
const BACKLOG = 4096;

/** Serves a path. Other transports and pages add themselves here. */
export type Route = (request: IncomingMessage, response: ServerResponse, query: string) => void;

/** Everything that arrives on the port. */
export class HttpEdge {
  readonly #engine: Engine;
  readonly #webSockets: WebSocketEdge;
  readonly #http: HttpServer;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #routes = new Map<string, Route>();
  readonly #isKeyRight: ReturnType<typeof createKeyCheck>;
  #acceptedThisSecond = 0;
  #second = 0;

  constructor(engine: Engine, webSockets: WebSocketEdge) {
    this.#engine = engine;
    this.#webSockets = webSockets;
    const { httpApi, health } = engine.settings;
    this.#isKeyRight = httpApi.insecure ? () => true : createKeyCheck(httpApi.key);
    if (health.enabled) this.route(health.handlerPrefix, (_request, response) => answer(response, 200, '{}', true));
    this.#http = createHttpServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (request, response) => this.#serve(request, response),
    );
    this.#http.on('upgrade', (request, socket, head) => this.upgrade(request, socket as Socket, head));
    this.#net = createNetServer({ noDelay: true }, (socket) => this.#connected(socket));
  }

  /** Adds a path. A trailing slash in `path` does not count. */
  route(path: string, route: Route): void {
    this.#routes.set(path.replace(/\/+$/, '') || '/', route);
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ ...(host === '' ? {} : { host }), port, backlog: BACKLOG }, () => {
        this.#net.off('error', reject);
        const address = this.#net.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }

  /** Stops accepting. Connections that are open stay so. */
  stopListening(): void {
    this.#net.close();
  }

  /** Ends what is still open. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#net.listening) this.#net.close(() => resolve());
      else resolve();
    });
    this.#http.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    new ApiLane(socket, this.#engine, this.#isKeyRight, this, (bytes) => this.#handOver(socket, bytes));
  }

  /** Gives a connection to Node's own HTTP server, with what has been read of it. */
  #handOver(socket: Socket, bytes: Buffer): void {
    this.#http.emit('connection', socket);
    if (bytes.length > 0) socket.unshift(bytes);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const [path, query] = splitTarget(request.url ?? '');
    const { httpApi, websocket } = this.#engine.settings;
    const prefix = httpApi.handlerPrefix.replace(/\/+$/, '');
    if (!httpApi.disabled && path.startsWith(`${prefix}/`) && hasApiMethod(path.slice(prefix.length + 1)))
      void this.#serveApi(path.slice(prefix.length + 1), request, response, query);
    else if (this.#routes.has(path)) this.#routes.get(path)!(request, response, query);
    else if (!websocket.disabled && path === websocket.handlerPrefix) answer(response, 400, 'Bad Request\n', false);
    else answer(response, 404, '404 page not found\n', false);
  }

  async #serveApi(name: string, request: IncomingMessage, response: ServerResponse, query: string): Promise<void> {
    const { httpApi } = this.#engine.settings;
    if (request.method !== 'POST') return refuse(response, 405);
    const { 'x-api-key': key, authorization } = request.headers;
    const xApiKey = Array.isArray(key) ? key[0] : key;
    if (!this.#isKeyRight({ xApiKey, authorization, query })) return refuse(response, 401);
    const body = await readBody(request, httpApi.maxRequestBodySize);
    if (body === 'too-large') return refuse(response, 413);
    if (body === 'aborted') return;
    const isTransportErrorMode =
      httpApi.isTransportErrorMode || request.headers['x-centrifugo-error-mode'] === 'transport';
    const result = callApi(this.#engine, name, body.toString('latin1'), isTransportErrorMode);
    answer(response, result.status, result.body, result.isJson);
  }

  /** Upgrades to a WebSocket, if path, origin and limits allow it. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { websocket } = this.#engine.settings;
    const [path] = splitTarget(request.url ?? '');
    if (websocket.disabled || path !== websocket.handlerPrefix) {
      reject(socket, 404);
      return;
    }
    const limited = this.#overLimit();
    if (limited) {
      reject(socket, limited);
      return;
    }
    if (!this.#isOriginAllowed(request.headers.origin)) {
      reject(socket, 403);
      return;
    }
    this.#webSockets.accept(request, socket, head, jsonEncoding);
  }

  #isOriginAllowed(origin: string | undefined): boolean {
    if (!origin) return true;
    return this.#engine.settings.client.allowedOrigins.some((pattern) => matchesGlob(pattern, origin.toLowerCase()));
  }

  #overLimit(): number | undefined {
    const { connectionLimit, connectionRateLimit } = this.#engine.settings.client;
    if (connectionLimit > 0 && this.#engine.hub.sessions.size >= connectionLimit) return 503;
    if (connectionRateLimit > 0) {
      const second = Math.floor(this.#engine.nowMs / 1000);
      if (second !== this.#second) this.#acceptedThisSecond = 0;
      this.#second = second;
      if (++this.#acceptedThisSecond > connectionRateLimit) return 429;
    }
    return undefined;
  }
}

function splitTarget(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

/** Answers with a text or JSON body, given as bytes. */
function answer(response: ServerResponse, status: number, body: string, isJson: boolean): void {
  response.writeHead(status, {
    'content-type': isJson ? 'application/json' : 'text/plain; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body, 'latin1');
}

/** Answers without a body and ends the connection: what else comes on it is not read. */
function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0, connection: 'close' });
  response.end();
}

function reject(socket: Socket, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

/** A request for `ws`, made from what the lane has read. */
export function upgradeRequest(socket: Socket, url: string, headers: ReadonlyMap<string, string>): IncomingMessage {
  const request = new IncomingMessage(socket);
  request.method = 'GET';
  request.url = url;
  for (const [name, value] of headers) request.headers[name] = value;
  return request;
}
