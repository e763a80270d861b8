import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { callApi } from '../core/api/api.ts';
import type { Engine } from '../core/engine.ts';
import { matchesGlob } from '../core/glob.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { jsonBytes } from '../protocol/byte-string.ts';
import { createKeyCheck } from './api-key.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { ApiLane, type LaneExits } from './http-lane.ts';
import { readBody } from './read-body.ts';
import { RequestHeads } from './request-head.ts';
import { apiMethodOf, cleanPath, decodePath, splitTarget } from './request-target.ts';
import { RequestTimer } from './request-timer.ts';
import type { WebSocketEdge } from './websocket.ts';
import { refuseUpgrade, type UpgradeRequest } from './websocket-handshake.ts';

/** Centrifugo's limit. With Node's 16 kB the cookies of a large site are too much. */
const MAX_HEADER_BYTES = 1024 * 1024;
/**
 * After this much silence the kernel asks whether a client is still there: who only listens to a stream answers no pings, so nobody else would ever notice.
 * As Go has it, but not for WebSockets, whose pongs are missed sooner: for each of those it would cost a tenth of the connect.
 */
const KEEP_ALIVE_MS = 15_000;
/** Pending connections that the kernel keeps. With Node's 511 a storm loses some, which come back a second later; the kernel caps it at its own limit. */
const BACKLOG = 4096;

/** Serves a path. Other transports and pages add themselves here. */
export type Route = (request: IncomingMessage, response: ServerResponse, query: string) => void | Promise<void>;

/** Everything that arrives on the port. */
export class HttpEdge implements LaneExits {
  readonly #engine: Engine;
  readonly #webSockets: WebSocketEdge;
  readonly #http: HttpServer;
  readonly #net: NetServer;
  /** Connections that have not become anything yet. */
  readonly #lanes = new Set<ApiLane>();
  readonly #timers = new WeakMap<Socket, RequestTimer>();
  readonly #routes = new Map<string, Route>();
  readonly #isKeyRight: ReturnType<typeof createKeyCheck>;
  readonly #newConnections: TokenBucket;
  readonly #heads = new RequestHeads();
  readonly #endOfTurn = new EndOfTurn();

  constructor(engine: Engine, webSockets: WebSocketEdge) {
    this.#engine = engine;
    this.#webSockets = webSockets;
    const { httpApi, health, prometheus, client } = engine.settings;
    this.#newConnections = new TokenBucket(client.connectionRateLimit);
    this.#isKeyRight = httpApi.insecure ? () => true : createKeyCheck(httpApi.key);
    if (health.enabled) this.route(health.handlerPrefix, (_request, response) => answer(response, 200, '{}', true));
    if (prometheus.enabled) this.route(prometheus.handlerPrefix, (_request, response) => this.#metrics(response));
    // Node keeps its time limits only on servers that listen themselves; `RequestTimer` does it here.
    const limits = {
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    };
    this.#http = createHttpServer(limits, (request, response) => {
      this.#timers.get(request.socket)?.reads(request, response);
      this.#serve(request, response);
    });
    this.#http.on('upgrade', (request, socket, head) => {
      this.#timers.get(socket as Socket)?.stop();
      this.upgrade(request, socket as Socket, head);
    });
    this.#net = createNetServer({ noDelay: true }, (socket) => this.take(socket));
  }

  /** Adds a path. A trailing slash in `path` does not count. */
  route(path: string, route: Route): void {
    this.#routes.set(path.replace(/\/+$/, '') || '/', route);
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      // Stays: what goes wrong with one connection that is being accepted must not end the process.
      this.#net.on('error', reject);
      this.#net.listen({ ...(host === '' ? {} : { host }), port, backlog: BACKLOG }, () => {
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
    for (const lane of this.#lanes) lane.destroy();
    await closed;
  }

  /** Serves a new connection. */
  take(socket: Socket): void {
    this.#lanes.add(new ApiLane(socket, this.#engine, this.#isKeyRight, this, this.#heads, this.#endOfTurn));
  }

  done(lane: ApiLane): void {
    this.#lanes.delete(lane);
  }

  /** Gives a connection to Node's own HTTP server, with what has been read of it. */
  handOver(socket: Socket, bytes: Buffer): void {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#timers.set(socket, new RequestTimer(socket, this.#engine));
    this.#http.emit('connection', socket);
    if (bytes.length > 0) socket.unshift(bytes);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '*') {
      // The server as a whole (RFC 9110 §9.3.7).
      if (request.method === 'OPTIONS') response.writeHead(200, { 'content-length': 0 }).end();
      else refuse(response, 400);
      return;
    }
    const [rawPath, query] = splitTarget(request.url ?? '');
    const path = decodePath(rawPath);
    if (path === undefined) {
      answer(response, 400, 'Bad Request\n', false);
      return;
    }
    const { httpApi } = this.#engine.settings;
    const method = httpApi.disabled ? undefined : apiMethodOf(path, httpApi.handlerPrefix);
    const clean = cleanPath(path);
    if (clean !== path) redirect(response, clean, query);
    else if (method !== undefined) void this.#serveApi(method, request, response, query);
    else if (this.#routes.has(path)) void this.#routes.get(path)!(request, response, query);
    else if (this.#isWebSocketPath(path)) answer(response, 400, 'Bad Request\n', false);
    else answer(response, 404, '404 page not found\n', false);
  }

  #isWebSocketPath(path: string): boolean {
    const { websocket, uniWebsocket } = this.#engine.settings;
    return (
      (!websocket.disabled && path === websocket.handlerPrefix) ||
      (uniWebsocket.enabled && path === uniWebsocket.handlerPrefix)
    );
  }

  async #serveApi(name: string, request: IncomingMessage, response: ServerResponse, query: string): Promise<void> {
    const { httpApi } = this.#engine.settings;
    if (request.method !== 'POST') return refuse(response, 405);
    // Of several the first counts.
    const xApiKey = request.headersDistinct['x-api-key']?.[0];
    const { authorization } = request.headers;
    if (!this.#isKeyRight({ xApiKey, authorization, query })) return refuse(response, 401);
    const body = await readBody(request, httpApi.maxRequestBodySize);
    if (body === 'too-large') return refuse(response, 413);
    if (body === 'aborted') return;
    const isTransportErrorMode =
      httpApi.isTransportErrorMode || request.headers['x-centrifugo-error-mode'] === 'transport';
    const result = callApi(this.#engine, name, jsonBytes(body), isTransportErrorMode);
    answer(response, result.status, result.body, result.isJson);
  }

  #metrics(response: ServerResponse): void {
    const { user, system } = process.cpuUsage();
    const use = { rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
    const text = this.#engine.metrics.text(this.#engine, use);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(text);
  }

  /** Upgrades to a WebSocket, if path, origin and limits allow it. */
  upgrade(request: UpgradeRequest, socket: Socket, head: Buffer): void {
    const { websocket, uniWebsocket } = this.#engine.settings;
    const [rawPath, query] = splitTarget(request.url ?? '');
    const path = decodePath(rawPath) ?? '';
    const clean = cleanPath(path);
    const isBidirectional = !websocket.disabled && path === websocket.handlerPrefix;
    const isUnidirectional = uniWebsocket.enabled && path === uniWebsocket.handlerPrefix;
    if (clean !== path) refuseUpgrade(socket, 307, `Location: ${encodeURI(clean)}\r\n`);
    else if (!isBidirectional && !isUnidirectional) refuseUpgrade(socket, 404, '', '404 page not found');
    else if (this.#isOverLimit()) refuseUpgrade(socket, 503);
    else if (!this.#isOriginAllowed(String(request.headers.origin ?? ''))) refuseUpgrade(socket, 403);
    else if (isBidirectional) this.#webSockets.accept(request, socket, head, query);
    else this.#webSockets.acceptUnidirectional(request, socket, head, query);
  }

  /** What lets a browser of an allowed origin read a response. The request itself is served to anybody. */
  corsHeaders({ headers }: IncomingMessage): Record<string, string> {
    if (!this.#isOriginAllowed(headers.origin)) return {};
    const wanted = headers['access-control-request-headers'];
    return {
      'access-control-allow-origin': headers.origin ?? '',
      'access-control-allow-credentials': 'true',
      ...(wanted && wanted !== 'null' ? { 'access-control-allow-headers': String(wanted) } : {}),
    };
  }

  #isOriginAllowed(origin: string | undefined): boolean {
    if (!origin) return true;
    return this.#engine.settings.client.allowedOrigins.some((pattern) => matchesGlob(pattern, origin.toLowerCase()));
  }

  /** Whether there are too many connections, or too many new ones. */
  #isOverLimit(): boolean {
    const { connectionLimit, connectionRateLimit } = this.#engine.settings.client;
    if (connectionRateLimit > 0 && !this.#newConnections.take(this.#engine.nowMs)) return true;
    return connectionLimit > 0 && this.#engine.hub.sessions.size >= connectionLimit;
  }
}

function redirect(response: ServerResponse, path: string, query: string): void {
  // Encoded again: a decoded line break must not end up in a header.
  const location = encodeURI(path);
  response.writeHead(307, { location: query ? `${location}?${query}` : location, 'content-length': 0 });
  response.end();
}

/** Answers with a text or JSON body, given as bytes. */
function answer(response: ServerResponse, status: number, body: string, isJson: boolean): void {
  response.writeHead(status, {
    ...(isJson
      ? { 'content-type': 'application/json' }
      : { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }),
    'content-length': body.length,
  });
  response.end(body, 'latin1');
}

/** Answers without a body and ends the connection: what else comes on it is not read. */
function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0, connection: 'close' });
  response.end();
}
