import { ANNOUNCE_HEADER, MAX_REQUEST_ID_LENGTH, META_VERSION, REQUEST_ID_HEADER } from '../metadata.ts';
import { type RequestedCall, RequestedCalls } from './trpc-internals.ts';

/** Where a request carries its facts through tRPC's context. Text, not a symbol: a type with a symbol cannot be written into an app's declaration files. */
const REQUEST = '~op/realtime';

/** `Headers`, or the plain object of Node's requests. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The parts of tRPC's request info that are used; what `createContext` is called with fits. */
export interface RequestInfo {
  /** The `trpc-accept` header: whether the answers can stream. */
  readonly accept?: string | null;
  /** What a WebSocket client said when it connected. */
  readonly connectionParams?: Readonly<Record<string, string | undefined>> | null;
  /** The calls of a batch. */
  readonly calls?: readonly RequestedCall[];
}

/** What `realtimeContext` learns a request from. */
export interface RealtimeContextOptions {
  /** The request as the adapter hands it to `createContext`. */
  readonly req?: { readonly headers: HeadersLike } | undefined;
  /** As the adapter hands it to `createContext`. Needed for WebSocket connections, and tells which calls share a request. */
  readonly info?: RequestInfo | undefined;
  /** The user for whom grants are issued. `null` for nobody. @default the option `userId` of `initRealtime` */
  readonly userId?: string | null | undefined;
  /**
   * `false`: the data of this request may be older than the moment at which stamps are read, because `createContext` loaded some of it. Over WebSocket it runs
   * once per connection, so load nothing there that answers are made of. @default true
   */
  readonly stamps?: boolean | undefined;
  /** Keeps the runtime alive until a promise settles, where it ends with the response (`waitUntil` of edge platforms). */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
  /** `true`: answer with metadata though no request says so: for our link over a link within one process. @default false */
  readonly announced?: boolean | undefined;
}

/** What is known about the request that a call belongs to: one object per HTTP request or WebSocket connection. An app hands it on and does not look inside. */
export interface RealtimeRequest {
  /** Whether the caller wants to know about freshness. @internal */
  readonly isAnnounced: boolean;
  /** The id to echo; `true` where an answer cannot be anybody else's; `null` where the request has none. @internal */
  readonly requestId: string | true | null;
  /** Whether promises and iterables in an answer can be sent as they come. @internal */
  readonly acceptsStream: boolean;
  /** `socket` and `local` contexts live longer than one request. @internal */
  readonly transport: 'http' | 'socket' | 'local';
  /** What was asked for, where that is known. @internal */
  readonly calls: RequestedCalls;
  /** The user for whom grants are issued; `null` for nobody, `undefined` where `initRealtime` shall say. @internal */
  readonly userId: string | null | undefined;
  /** `false` where its data may be older than the moment at which stamps are read. @internal */
  readonly allowsStamps: boolean;
  /** As given to `realtimeContext`. @internal */
  readonly waitUntil: ((promise: Promise<unknown>) => void) | undefined;
  /** Set when an answer carries a grant: then no shared cache may keep it. @internal */
  hasGrants: boolean;
}

/** What `realtimeContext` adds to a context. */
export interface RealtimeContext {
  readonly [REQUEST]: RealtimeRequest;
}

/**
 * Tells the middleware about the request. Spread it into the context:
 *
 * ```ts
 * createContext: async ({ req, info }) => ({ user: await userOf(req), ...realtimeContext({ req, info, userId: user?.id }) })
 * ```
 * Without it the middleware looks at `ctx.req.headers` and `ctx.headers`, which is enough for HTTP without batches that stream.
 */
export function realtimeContext(options: RealtimeContextOptions): RealtimeContext {
  return { [REQUEST]: toRequest(options) };
}

/** Of a caller who could not read metadata: `createCaller`, server components. */
export const DIRECT_REQUEST: RealtimeRequest = Object.freeze(toRequest({}));

const requestsByCarrier = new WeakMap<object, RealtimeRequest>();

/** The request that a context belongs to; the same object for all calls of an HTTP batch. */
export function requestOf(ctx: unknown): RealtimeRequest {
  if (!isObject(ctx)) return DIRECT_REQUEST;
  const told = (ctx as Partial<RealtimeContext>)[REQUEST];
  if (told) return told;
  const { req, headers } = ctx as { req?: unknown; headers?: unknown };
  const carrier = isObject(req) && isObject((req as { headers?: unknown }).headers) ? req : headers;
  if (!isObject(carrier)) return DIRECT_REQUEST;
  const known = requestsByCarrier.get(carrier);
  if (known) return known;
  const found = (carrier === headers ? carrier : (carrier as { headers: unknown }).headers) as HeadersLike;
  const request = toRequest({ req: { headers: found } });
  requestsByCarrier.set(carrier, request);
  return request;
}

function toRequest(options: RealtimeContextOptions): RealtimeRequest {
  const { req, info, userId, stamps = true, waitUntil, announced = false } = options;
  const header = (name: string) => (req ? readHeader(req.headers, name) : undefined);
  // tRPC asks for the context of a WebSocket before any call is known.
  const isSocket = info ? info.calls?.length === 0 : header('upgrade') === 'websocket';
  const announcement = isSocket ? info?.connectionParams?.[ANNOUNCE_HEADER] : header(ANNOUNCE_HEADER);
  const isLocal = announced && !req && !info;
  return {
    isAnnounced: announced || announcement === `${META_VERSION}`,
    requestId: isSocket || isLocal ? true : parseRequestId(header(REQUEST_ID_HEADER)),
    acceptsStream: (info?.accept ?? header('trpc-accept')) === 'application/jsonl',
    transport: isSocket ? 'socket' : isLocal ? 'local' : 'http',
    calls: new RequestedCalls(info?.calls?.length ? info.calls : null),
    userId,
    allowsStamps: stamps,
    waitUntil,
    hasGrants: false,
  };
}

function parseRequestId(id: string | undefined): string | null {
  return id !== undefined && id.length <= MAX_REQUEST_ID_LENGTH && /^[A-Za-z0-9_-]+$/.test(id) ? id : null;
}

function readHeader(headers: HeadersLike, name: string): string | undefined {
  if (typeof (headers as Headers).get === 'function') return (headers as Headers).get(name) ?? undefined;
  if (!Object.hasOwn(headers, name)) return undefined;
  const value = (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
