import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { WebSocket } from 'ws';
import { RealtimeManager } from '../src/client/index.ts';
import { Answers, bindQueryClient, type QueryBinding } from '../src/query/index.ts';
import { realtimeLink } from '../src/trpc/client/index.ts';
import { FaultyProxy } from '../test/faulty-proxy.ts';
import { Switch } from '../test/switch.ts';
import type { AppRouter } from './app-server.ts';
import type { Database, Topic } from './database.ts';
import { TabClock } from './tab-clock.ts';

/** What one mounted query should show. */
export interface Shown {
  readonly name: string;
  readonly queryKey: readonly unknown[];
  readonly topics: readonly string[];
  readonly expected: (database: Database) => unknown;
  /** The version of each topic that the data holds. */
  readonly versions: (data: unknown) => readonly number[];
  readonly mountAgain: () => void;
  readonly unmount: () => void;
}

export interface TabOptions {
  readonly name: string;
  readonly ports: { readonly api: number; readonly broker: number };
  /** Else its only grants are those in answers. */
  readonly asksForGrants: boolean;
  readonly leaveGraceMs: number;
}

const PERHAPS = 'perhaps';

/** One open tab: a real manager, query client and tRPC client, each behind a network of its own. */
export class Tab {
  readonly name: string;
  readonly asksForGrants: boolean;
  readonly api: FaultyProxy;
  readonly sockets: FaultyProxy;
  readonly clock = new TabClock();
  readonly manager: RealtimeManager;
  readonly queryClient = new QueryClient({ defaultOptions: { queries: { retry: 1, retryDelay: 50 } } });
  readonly binding: QueryBinding;
  readonly focus = new Switch();
  readonly shown: Shown[] = [];
  /** By topic, the version of the last own write whose answer came. */
  readonly acknowledged = new Map<string, number>();
  readonly #client: ReturnType<typeof createTRPCClient<AppRouter>>;
  readonly #trpc: ReturnType<typeof createTRPCOptionsProxy<AppRouter>>;

  private constructor({ name, asksForGrants, leaveGraceMs }: TabOptions, api: FaultyProxy, sockets: FaultyProxy) {
    this.name = name;
    this.asksForGrants = asksForGrants;
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
      ...(asksForGrants && {
        getChannelTokens: (channels: readonly string[]) =>
          this.#client.realtime.getChannelTokens.query({ channels: [...channels] }),
      }),
      onError: () => {},
      timeoutMs: 4000,
      tokenTimeoutMs: 4000,
      probeTimeoutMs: 2000,
      retry: { minMs: 50, maxMs: 500 },
      clock: this.clock,
    });
    this.binding = bindQueryClient(this.queryClient, this.manager, {
      answers,
      focusManager: this.focus,
      leaveGraceMs,
      graceMs: 500,
      deferMs: 1000,
      watchdogMs: 3000,
      pollAfterMs: 5000,
      pollEveryMs: 2000,
      maxBackoffMs: 4000,
      clock: this.clock,
    });
  }

  static async open(options: TabOptions): Promise<Tab> {
    const { api, broker } = options.ports;
    return new Tab(options, await FaultyProxy.listen(api), await FaultyProxy.listen(broker));
  }

  mountList(topic: string): void {
    this.#mount({
      name: `list ${topic}`,
      options: this.#trpc.list.queryOptions(topic),
      topics: [topic],
      expected: (database) => database.read(topic),
      versions: (data) => [(data as Topic).version],
    });
  }

  mountBoth(first: string, second: string): void {
    this.#mount({
      name: `both ${first} ${second}`,
      options: this.#trpc.both.queryOptions([first, second]),
      topics: [first, second],
      expected: (database) => ({ topics: [database.read(first), database.read(second)] }),
      versions: (data) => (data as { topics: readonly Topic[] }).topics.map(({ version }) => version),
    });
  }

  mountVersion(topic: string): void {
    this.#mount({
      name: `version ${topic}`,
      options: this.#trpc.version.queryOptions(topic),
      topics: [topic],
      expected: (database) => database.read(topic).version,
      versions: (data) => [data as number],
    });
  }

  unmount(at: number): void {
    this.shown.splice(at, 1)[0]?.unmount();
  }

  /** The app fetches by itself what is on screen, or so many of it. */
  refetch(count = this.shown.length): void {
    for (const { queryKey } of this.shown.slice(0, count))
      void this.queryClient
        .getQueryCache()
        .find({ queryKey, exact: true })
        ?.fetch()
        .catch(() => {});
  }

  /**
   * What a user does whose page could not load at all: nobody but the app knows of a query that never had an answer.
   * @param isImpatient also where the request may still be answered
   */
  tryAgain(isImpatient: boolean): void {
    for (const query of this.queryClient.getQueryCache().getAll()) {
      const { data, status, fetchStatus } = query.state;
      if (data !== undefined || !(status === 'error' || (isImpatient && fetchStatus === 'fetching'))) continue;
      void query
        .cancel({ silent: true })
        .then(() => query.fetch())
        .catch(() => {});
    }
  }

  async append(topic: string, note: string): Promise<void> {
    const answer = await this.#client.append.mutate({ topic, note }, impatient()).catch(() => null);
    if (answer) this.#acknowledge(topic, answer.version);
  }

  async clear(topic: string): Promise<void> {
    const answer = await this.#client.clear.mutate(topic, impatient()).catch(() => null);
    if (answer) this.#acknowledge(topic, answer.version);
  }

  /** Shows what the user will probably get, is refused, and takes it back, as `useMutation` with `onMutate` and `onError` does. */
  async appendOptimistically(topic: string, refusedAfterMs: number): Promise<void> {
    const { queryKey } = this.#trpc.list.queryOptions(topic);
    const observer = new MutationObserver(this.queryClient, {
      mutationFn: () => this.#client.refuse.mutate(refusedAfterMs, impatient()),
      onMutate: () => {
        const before = this.queryClient.getQueryData(queryKey);
        if (before) this.queryClient.setQueryData(queryKey, { ...before, notes: [...before.notes, PERHAPS] });
        return before;
      },
      onError: (_error, _variables, before) => {
        if (before) this.queryClient.setQueryData(queryKey, before);
      },
    });
    await observer.mutate().catch(() => {});
  }

  /**
   * Of each mounted query that is not as it should be: what it shows and what it should.
   * @param proven those that were seen live and equal since the last write. Tokens go on expiring, so a tab may be about to rejoin at any moment.
   */
  differences(database: Database, proven: WeakSet<Shown>): string[] {
    return this.shown.flatMap((shown) => {
      const truth = JSON.stringify(shown.expected(database));
      const isEqual = JSON.stringify(this.queryClient.getQueryData(shown.queryKey)) === truth;
      if (isEqual && this.binding.status(shown.queryKey).state === 'live') proven.add(shown);
      return isEqual && proven.has(shown) ? [] : [`${this.describe(shown)}\n    truth ${truth}`];
    });
  }

  describe({ name, queryKey }: Shown): string {
    const { state, detail } = this.binding.status(queryKey);
    const query = this.queryClient.getQueryCache().find({ queryKey, exact: true });
    const shows = JSON.stringify(query?.state.data);
    return `${this.name} ${name} is ${state} (${detail}), ${query?.state.fetchStatus}, clock ${this.clock.offsetMs}, socket ${this.manager.status.state} ${this.manager.status.reason?.message ?? ''}\n    shows ${shows}`;
  }

  async close(): Promise<void> {
    for (const { unmount } of this.shown) unmount();
    this.binding.dispose();
    this.queryClient.clear();
    this.manager.dispose();
    await Promise.all([this.api.close(), this.sockets.close()]);
  }

  #acknowledge(topic: string, version: number): void {
    this.acknowledged.set(topic, Math.max(version, this.acknowledged.get(topic) ?? 0));
  }

  #mount({ options, ...shown }: Mounted): void {
    const observer = new QueryObserver(this.queryClient, { ...options, staleTime: Number.POSITIVE_INFINITY });
    this.shown.push({
      ...shown,
      queryKey: options.queryKey,
      mountAgain: () => this.#mount({ options, ...shown }),
      unmount: observer.subscribe(() => {}),
    });
  }
}

interface Mounted extends Omit<Shown, 'queryKey' | 'mountAgain' | 'unmount'> {
  // biome-ignore lint/suspicious/noExplicitAny: the options of any query
  readonly options: any;
}

/** What an app does that does not let its users wait for ever. */
function impatient(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(5_000) };
}

/** Whether the data shows what was never committed. */
export function isWishful(data: unknown): boolean {
  return (data as Partial<Topic> | undefined)?.notes?.at?.(-1) === PERHAPS;
}
