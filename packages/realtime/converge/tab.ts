import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { WebSocket } from 'ws';
import { RealtimeManager } from '../src/client/index.ts';
import { Answers, bindQueryClient, type QueryBinding } from '../src/query/index.ts';
import { realtimeLink } from '../src/trpc/client/index.ts';
import type { AppRouter } from './app-server.ts';
import type { Database } from './database.ts';
import { FaultyProxy } from './faulty-proxy.ts';

/** A source that a test switches: whether the tab is looked at, whether it has a network. */
class Switch {
  on = true;
  readonly #listeners = new Set<() => void>();
  readonly isFocused = () => this.on;
  readonly isOnline = () => this.on;
  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  set(on: boolean): void {
    this.on = on;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What one mounted query should show. */
interface Shown {
  readonly name: string;
  readonly queryKey: readonly unknown[];
  readonly expected: (database: Database) => unknown;
  readonly unmount: () => void;
}

/** One open tab: a real manager, query client and tRPC client, each behind a network of its own. */
export class Tab {
  readonly name: string;
  readonly api: FaultyProxy;
  readonly sockets: FaultyProxy;
  readonly manager: RealtimeManager;
  readonly queryClient = new QueryClient({ defaultOptions: { queries: { retry: 1, retryDelay: 50 } } });
  readonly binding: QueryBinding;
  readonly focus = new Switch();
  readonly shown: Shown[] = [];
  readonly #client: ReturnType<typeof createTRPCClient<AppRouter>>;
  readonly #trpc: ReturnType<typeof createTRPCOptionsProxy<AppRouter>>;

  private constructor(name: string, api: FaultyProxy, sockets: FaultyProxy) {
    this.name = name;
    this.api = api;
    this.sockets = sockets;
    const answers = new Answers(name);
    this.#client = createTRPCClient<AppRouter>({
      links: [
        realtimeLink(
          (rt) =>
            httpBatchLink({
              url: `http://127.0.0.1:${api.port}`,
              headers: () => ({ 'x-user': name, ...rt.headers() }),
            }),
          { answers },
        ),
      ],
    });
    this.#trpc = createTRPCOptionsProxy<AppRouter>({ client: this.#client, queryClient: this.queryClient });
    this.manager = new RealtimeManager({
      wsUrl: `ws://127.0.0.1:${sockets.port}/connection/websocket`,
      websocket: WebSocket,
      getToken: async () => (await this.#client.realtime.getToken.query()).token,
      getChannelTokens: (channels) => this.#client.realtime.getChannelTokens.query({ channels: [...channels] }),
      onError: () => {},
      timeoutMs: 1500,
      tokenTimeoutMs: 2000,
      probeTimeoutMs: 500,
      retry: { minMs: 50, maxMs: 500 },
    });
    this.binding = bindQueryClient(this.queryClient, this.manager, {
      answers,
      focusManager: this.focus,
      leaveGraceMs: 500,
      graceMs: 500,
      deferMs: 1000,
      watchdogMs: 2000,
      pollAfterMs: 5000,
      pollEveryMs: 2000,
      maxBackoffMs: 4000,
    });
  }

  static async open(name: string, ports: { readonly api: number; readonly broker: number }): Promise<Tab> {
    return new Tab(name, await FaultyProxy.listen(ports.api), await FaultyProxy.listen(ports.broker));
  }

  mountList(topic: string): void {
    const options = this.#trpc.list.queryOptions(topic);
    this.#mount(`list ${topic}`, options, (database) => ({ notes: database.read(topic) }));
  }

  mountBoth(first: string, second: string): void {
    const options = this.#trpc.both.queryOptions([first, second]);
    this.#mount(`both ${first} ${second}`, options, (database) => ({
      notes: [database.read(first), database.read(second)],
    }));
  }

  mountCount(topic: string): void {
    this.#mount(`count ${topic}`, this.#trpc.count.queryOptions(topic), (database) => database.read(topic).length);
  }

  unmount(at: number): void {
    this.shown.splice(at, 1)[0]?.unmount();
  }

  /** What a user does whose page could not load at all: nobody but the app knows of a query that never had an answer. */
  tryAgain(): void {
    for (const query of this.queryClient.getQueryCache().getAll())
      if (query.state.status === 'error' && query.state.data === undefined) void query.fetch().catch(() => {});
  }

  append(topic: string, note: string): Promise<void> {
    return this.#client.append.mutate({ topic, note }).then(
      () => {},
      () => {},
    );
  }

  clear(topic: string): Promise<void> {
    return this.#client.clear.mutate(topic).then(
      () => {},
      () => {},
    );
  }

  /** Shows what the user will probably get, is refused, and takes it back. */
  async appendOptimistically(topic: string): Promise<void> {
    const { queryKey } = this.#trpc.list.queryOptions(topic);
    const before = this.queryClient.getQueryData(queryKey);
    if (before) this.queryClient.setQueryData(queryKey, { notes: [...before.notes, 'perhaps'] });
    await this.#client.refuse.mutate().catch(() => {});
    if (before) this.queryClient.setQueryData(queryKey, before);
  }

  /** Of each mounted query that is not as it should be: what it shows and what it should. */
  differences(database: Database): string[] {
    return this.shown.flatMap(({ name, queryKey, expected }) => {
      const data = JSON.stringify(this.queryClient.getQueryData(queryKey));
      const truth = JSON.stringify(expected(database));
      const { state, detail } = this.binding.status(queryKey);
      if (data === truth && state === 'live') return [];
      return `${this.name} ${name} is ${state} (${detail}), socket ${this.manager.status.state}\n    shows ${data}\n    truth ${truth}`;
    });
  }

  async close(): Promise<void> {
    for (const { unmount } of this.shown) unmount();
    this.binding.dispose();
    this.queryClient.clear();
    this.manager.dispose();
    await Promise.all([this.api.close(), this.sockets.close()]);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the options of any query
  #mount(name: string, options: any, expected: Shown['expected']): void {
    const observer = new QueryObserver(this.queryClient, { ...options, staleTime: Number.POSITIVE_INFINITY });
    this.shown.push({ name, queryKey: options.queryKey, expected, unmount: observer.subscribe(() => {}) });
  }
}
