import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  type TRPCLink,
  unstable_localLink,
  wsLink,
} from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import type { TRPCRequestInfo } from '@trpc/server/http';
import superjson from 'superjson';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import { Answers, type Call } from '../src/query/answers.ts';
import { type Announcement, realtimeLink } from '../src/trpc/client/index.ts';
import type { AnswerMeta } from '../src/trpc/metadata.ts';
import { parseMeta } from '../src/trpc/parse-meta.ts';
import type { HeadersLike, ResponseMeta, ResponseMetaOptions } from '../src/trpc/server/index.ts';

export const LINKS = ['httpLink', 'httpBatchLink', 'httpBatchStreamLink', 'wsLink', 'localLink'] as const;
export type LinkKind = (typeof LINKS)[number];

/** What a request of whatever transport offers to `createContext`. */
export interface Incoming {
  readonly req?: { readonly headers: HeadersLike };
  readonly info?: TRPCRequestInfo;
  readonly isLocal?: boolean;
}

export interface AppOptions {
  readonly createContext: (incoming: Incoming) => object;
  readonly responseMeta?: (options: ResponseMetaOptions) => ResponseMeta;
  readonly usesSuperjson?: boolean;
}

/** A client with our link, and what it learnt. */
export interface LearningClient<R extends AnyTRPCRouter> {
  readonly client: ReturnType<typeof createTRPCClient<R>>;
  /** Metadata of queries by path, in the order of the calls; `null` for answers without. */
  metaOf(path: string): (AnswerMeta | null)[];
  /** Metadata of mutations, in the order of their answers. */
  readonly mutated: (AnswerMeta | null)[];
}

/** A real tRPC server with the given router, and clients on every transport. */
export class TrpcApp<R extends AnyTRPCRouter> {
  readonly router: R;
  readonly #options: AppOptions;
  readonly #closing: (() => Promise<void> | void)[] = [];
  /** Of each HTTP response. */
  readonly responses: { readonly headers: Headers; readonly status: number; readonly text: Promise<string> }[] = [];

  constructor(router: R, options: AppOptions) {
    this.router = router;
    this.#options = options;
  }

  /** Answers a request in process. */
  readonly fetch = async (url: RequestInfo | URL | string, init?: object): Promise<Response> => {
    const req = new Request(url, init);
    const { createContext, responseMeta } = this.#options;
    const response = await fetchRequestHandler({
      endpoint: '/api/trpc',
      req,
      router: this.router,
      createContext: ({ info }) => createContext({ req, info }),
      ...(responseMeta && { responseMeta }),
    } as Parameters<typeof fetchRequestHandler>[0]);
    this.responses.push({ headers: response.headers, status: response.status, text: response.clone().text() });
    return response;
  };

  /** A plain HTTP call, as `curl` would make it. */
  get(path: string, input?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`;
    return this.fetch(`http://test.local/api/trpc/${path}${query}`, { headers });
  }

  async connect(kind: LinkKind): Promise<LearningClient<R>> {
    const answers = new Answers('tab');
    const calls: Call[] = [];
    const mutated: (AnswerMeta | null)[] = [];
    answers.listeners.add({
      tick: () => 1,
      on(event) {
        if (event.type === 'called') calls.push(event.call);
        if (event.type === 'mutated') mutated.push(parseMeta(event.wire));
      },
    });
    const link = await this.#link(kind);
    return {
      client: createTRPCClient<R>({ links: [realtimeLink<R>(link, { answers })] }),
      metaOf: (path) =>
        calls.filter((call) => call.path === path).map(({ answer }) => (answer ? parseMeta(answer.wire) : null)),
      mutated,
    };
  }

  /** A client without our link. */
  async connectBare(kind: LinkKind): Promise<ReturnType<typeof createTRPCClient<R>>> {
    return createTRPCClient<R>({ links: [(await this.#link(kind))()] });
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  async #link(kind: LinkKind): Promise<(rt?: Announcement) => TRPCLink<R>> {
    const { usesSuperjson, createContext } = this.#options;
    const common = { ...(usesSuperjson && { transformer: superjson }) };
    const options = (rt?: Announcement) => ({ url: 'http://test.local/api/trpc', fetch: this.fetch, ...common, ...rt });
    type Options = Parameters<typeof httpLink<R>>[0];
    switch (kind) {
      case 'httpLink':
        return (rt) => httpLink<R>(options(rt) as unknown as Options);
      case 'httpBatchLink':
        return (rt) => httpBatchLink<R>(options(rt) as unknown as Parameters<typeof httpBatchLink<R>>[0]);
      case 'httpBatchStreamLink':
        return (rt) => httpBatchStreamLink<R>(options(rt) as unknown as Parameters<typeof httpBatchStreamLink<R>>[0]);
      case 'localLink':
        return (rt) =>
          unstable_localLink<R>({
            router: this.router,
            // What a header says over HTTP, the context says here.
            createContext: async () => createContext({ isLocal: rt?.connectionParams() !== undefined }),
            ...common,
          } as unknown as Parameters<typeof unstable_localLink<R>>[0]);
      case 'wsLink': {
        const url = await this.#listen();
        return (rt) => {
          const client = createWSClient({ url, WebSocket: NodeWebSocket as unknown as typeof WebSocket, ...rt });
          this.#closing.push(() => client.close());
          return wsLink<R>({ client, ...common } as unknown as Parameters<typeof wsLink<R>>[0]);
        };
      }
    }
  }

  async #listen(): Promise<string> {
    const server = createServer();
    const wss = new WebSocketServer({ server });
    const { createContext } = this.#options;
    applyWSSHandler({
      wss,
      router: this.router,
      createContext: ({ req, info }) => createContext({ req, info }),
    } as Parameters<typeof applyWSSHandler>[0]);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#closing.push(async () => {
      for (const client of wss.clients) client.terminate();
      await new Promise<void>((resolve) => wss.close(() => server.close(() => resolve())));
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}
