import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TRPCLink } from '@trpc/client';
import { createWSClient, httpBatchLink, httpBatchStreamLink, httpLink, splitLink, wsLink } from '@trpc/client';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import type { TRPCRequestInfo } from '@trpc/server/http';
import type superjson from 'superjson';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { ChannelName } from '../src/core/channel.ts';
import type { Message } from '../src/core/message.ts';
import type { Position } from '../src/core/position.ts';
import type { Announcement } from '../src/trpc/client/index.ts';
import {
  ANNOUNCE_HEADER,
  REQUEST_ID_HEADER,
  type TouchedChannel,
  toEnvelope,
  type WatchedChannel,
} from '../src/trpc/metadata.ts';

/**
 * A real tRPC server whose metadata a test writes itself, through the wire contract: for what the link and the binding must do with any server.
 */
export interface Backend {
  readonly router: BackendRouter;
  /** Answers requests in process, as `fetch` does. */
  readonly fetch: (url: RequestInfo | URL | string, init?: object) => Promise<Response>;
  /** One entry per HTTP request: its paths and headers. */
  readonly requests: { url: string; headers: Headers; body: string }[];
  /** How often each procedure ran. */
  readonly runs: Map<string, number>;
  /** What `item` and others answer, by id. */
  readonly items: Map<string, unknown>;
  /** Metadata of the next answers. */
  meta: {
    watch: (path: string, input: unknown) => readonly WatchedChannel[];
    touch: (path: string, input: unknown) => readonly TouchedChannel[];
    /** Replaces what the server would echo. */
    requestId?: string | true | null;
    /** What the answers to queries say about a loss of history. */
    lostHistorySpreadMs?: number;
    /** Replaces the whole envelope. */
    raw?: (data: unknown) => unknown;
  };
  /** Called inside each resolver before it reads; awaited. */
  before: (path: string) => void | Promise<void>;
  /** Serves WebSocket as well. */
  listen(): Promise<{ url: string; close(): Promise<void> }>;
}

interface Context {
  readonly announced: boolean;
  readonly requestId: string | true | null;
  readonly isStream: boolean;
}

export type BackendRouter = ReturnType<typeof makeRouter>;

export function watched(
  channel: ChannelName,
  stamp: Position | null = null,
  grant: string | null = null,
): WatchedChannel {
  return { channel, stamp, grant };
}

export function touchedChannel(
  channel: ChannelName,
  position: Position | null = null,
  message: Message = { type: 'channel-invalidation' },
): TouchedChannel {
  return { channel, position, message };
}

type Core = Pick<Backend, 'items' | 'runs' | 'meta' | 'before'>;

function makeRouter(core: Core, transformer: typeof superjson | null) {
  // One static type for both: transformers do not change what procedures look like.
  const t = initTRPC
    .context<Context>()
    .create({ ...(transformer && { transformer }), allowOutsideOfServer: true, isServer: true, isDev: false });
  const base = t.procedure.use(async ({ ctx, path, type, getRawInput, next }) => {
    core.runs.set(path, (core.runs.get(path) ?? 0) + 1);
    // A mutation without input has an empty body over httpLink, which is no JSON.
    const input = path === 'saveFails' ? undefined : await getRawInput();
    const channels = type === 'query' ? core.meta.watch(path, input) : [];
    await core.before(path);
    const result = await next();
    const touched = type === 'mutation' ? core.meta.touch(path, input) : [];
    if (!result.ok || !ctx.announced || type === 'subscription') return result;
    if (core.meta.raw) return { ...result, data: core.meta.raw(result.data) };
    if (!channels.length && !touched.length) return result;
    const { data } = result;
    const isAsync =
      typeof data === 'object' &&
      data !== null &&
      !(Symbol.asyncIterator in data) &&
      Object.values(data).some((value) => value instanceof Promise);
    if ((isAsync || (typeof data === 'object' && data !== null && Symbol.asyncIterator in data)) && !ctx.isStream)
      return result;
    const requestId = core.meta.requestId === undefined ? ctx.requestId : core.meta.requestId;
    const meta = { requestId, channels, touched, lostHistorySpreadMs: core.meta.lostHistorySpreadMs };
    return { ...result, data: toEnvelope(meta, isAsync ? Promise.resolve(data) : data) };
  });
  return t.router({
    item: base.input(z.object({ id: z.string() })).query(({ input }) => core.items.get(input.id) ?? { id: input.id }),
    /** Anything JSON can say, without input. */
    value: base.query(() => core.items.get('value')),
    /** A primitive input. */
    byText: base.input(z.string()).query(({ input }) => core.items.get(input)),
    pages: base
      .input(z.object({ limit: z.number(), cursor: z.number().optional(), direction: z.string().optional() }))
      .query(({ input }) => {
        const from = input.cursor ?? 0;
        return { rows: Array.from({ length: input.limit }, (_, at) => from + at), next: from + input.limit };
      }),
    numberPages: base
      .input(z.object({ cursor: z.number().optional(), direction: z.string().optional() }))
      .query(({ input }) => input.cursor ?? 0),
    deferred: base.query(() => ({ now: 1, later: Promise.resolve(2) })),
    failLater: base.query(() => ({ now: 1, later: Promise.reject(new Error('later')) })),
    stream: base.query(async function* () {
      yield 1;
      yield 2;
    }),
    fails: base.query((): number => {
      throw new TRPCError({ code: 'NOT_FOUND', message: 'no such thing' });
    }),
    nested: t.router({
      deep: base.input(z.object({ at: z.date().optional() }).optional()).query(() => ({ deep: true })),
    }),
    save: base.input(z.object({ id: z.string(), value: z.unknown() })).mutation(({ input }) => {
      core.items.set(input.id, input.value);
      return { id: input.id };
    }),
    saveFails: base.mutation((): number => {
      throw new TRPCError({ code: 'CONFLICT', message: 'no' });
    }),
    marks: base.subscription(async function* () {
      yield { '~op/rt': 'user data', d: 1 };
    }),
    ticks: base.subscription(async function* () {
      yield tracked('a', { '~op/rt': 'user data' });
    }),
  });
}

export function createBackend({ transformer = null }: { transformer?: typeof superjson | null } = {}): Backend {
  const core: Core = {
    items: new Map(),
    runs: new Map(),
    meta: { watch: () => [], touch: () => [] },
    before: () => undefined,
  };
  const router = makeRouter(core, transformer);
  const requests: Backend['requests'] = [];
  const httpContext = (headers: Headers, info: TRPCRequestInfo): Context => ({
    announced: headers.get(ANNOUNCE_HEADER) === '1',
    requestId: headers.get(REQUEST_ID_HEADER),
    isStream: info.accept === 'application/jsonl',
  });
  return Object.assign(core, {
    router,
    requests,
    fetch: async (url: RequestInfo | URL | string, init?: object) => {
      const req = new Request(url, init);
      requests.push({ url: req.url, headers: req.headers, body: await req.clone().text() });
      const response = fetchRequestHandler({
        endpoint: '/api/trpc',
        req,
        router,
        createContext: ({ info }) => httpContext(req.headers, info),
      });
      const aborted = new Promise<never>((_, reject) => {
        if (req.signal.aborted) reject(req.signal.reason);
        req.signal.addEventListener('abort', () => reject(req.signal.reason));
      });
      return Promise.race([response, aborted]);
    },
    async listen() {
      const server: Server = createServer();
      const wss = new WebSocketServer({ server });
      const handler = applyWSSHandler({
        wss,
        router,
        createContext: ({ info }): Context => ({
          announced: info.connectionParams?.[ANNOUNCE_HEADER] === '1',
          requestId: true,
          isStream: false,
        }),
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async close() {
          handler.broadcastReconnectNotification();
          for (const client of wss.clients) client.terminate();
          await new Promise<void>((resolve) => wss.close(() => server.close(() => resolve())));
        },
      };
    },
  });
}

export const TRANSPORTS = ['httpLink', 'httpBatchLink', 'httpBatchStreamLink', 'splitLink', 'wsLink'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** The terminating link of each kind, for `realtimeLink` or, without an announcement, bare. `close` ends what it opened. */
export async function openTransport(
  backend: Backend,
  kind: Transport,
  transformer: typeof superjson | null,
): Promise<{ make: (rt?: Announcement) => TRPCLink<BackendRouter>; close: () => Promise<void> }> {
  const options = (rt?: Announcement): { url: string; fetch: Backend['fetch'] } => ({
    url: 'http://test.local/api/trpc',
    fetch: backend.fetch,
    ...(transformer && { transformer }),
    ...rt,
  });
  if (kind !== 'wsLink') {
    const make: Record<Exclude<Transport, 'wsLink'>, (rt?: Announcement) => TRPCLink<BackendRouter>> = {
      httpLink: (rt) => httpLink(options(rt)),
      httpBatchLink: (rt) => httpBatchLink(options(rt)),
      httpBatchStreamLink: (rt) => httpBatchStreamLink(options(rt)),
      splitLink: (rt) =>
        splitLink({
          condition: ({ path }) => path === 'item',
          true: httpBatchLink(options(rt)),
          false: httpBatchStreamLink(options(rt)),
        }),
    };
    return { make: make[kind], close: async () => undefined };
  }
  const { url, close } = await backend.listen();
  const clients: ReturnType<typeof createWSClient>[] = [];
  return {
    make: (rt) => {
      const client = createWSClient({ url, WebSocket: NodeWebSocket as unknown as typeof WebSocket, ...rt });
      clients.push(client);
      const linkOptions: { client: typeof client } = { client, ...(transformer && { transformer }) };
      return wsLink(linkOptions);
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await close();
    },
  };
}
