import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { WebSocket } from 'ws';
import { RealtimeManager } from '../src/client/index.ts';
import { Answers, bindQueryClient, type QueryBinding } from '../src/query/index.ts';
import { realtimeLink } from '../src/trpc/client/index.ts';
import type { AppRouter } from './app.ts';
import { channelOf, TOPICS } from './settings.ts';

/** One open tab that shows the lists of all topics: real manager, query client and tRPC client. */
export class Tab {
  readonly name: string;
  readonly #manager: RealtimeManager;
  readonly #binding: QueryBinding;
  readonly #queryClient = new QueryClient({ defaultOptions: { queries: { retry: 1, retryDelay: 20 } } });
  readonly #lists: { readonly topic: string; readonly queryKey: readonly unknown[] }[] = [];
  readonly #closing: (() => void)[] = [];
  /** How often each note of this round arrived. */
  readonly #delivered = new Map<string, number>();
  /** Channels that were joined in this round without all that was missed. */
  readonly #unrecovered = new Set<string>();

  constructor(name: string, ports: { readonly app: number; readonly broker: number }) {
    this.name = name;
    const answers = new Answers(name);
    const client = createTRPCClient<AppRouter>({
      links: [
        realtimeLink(
          (rt) =>
            httpBatchLink({
              url: `http://127.0.0.1:${ports.app}`,
              headers: () => ({ 'x-user': name, ...rt.headers() }),
            }),
          { answers },
        ),
      ],
    });
    this.#manager = new RealtimeManager({
      wsUrl: `ws://127.0.0.1:${ports.broker}/connection/websocket`,
      websocket: WebSocket,
      getToken: async () => (await client.realtime.getToken.query()).token,
      getChannelTokens: (channels) => client.realtime.getChannelTokens.query({ channels: [...channels] }),
      onError: () => {},
      timeoutMs: 1500,
      tokenTimeoutMs: 2000,
      retry: { minMs: 20, maxMs: 200 },
    });
    this.#closing.push(
      this.#manager.observe((event) => {
        if (event.type === 'joined' && !event.recovered) this.#unrecovered.add(event.channel);
        if (event.type !== 'publication' || event.message?.type !== 'event') return;
        const note = String(event.message.data);
        this.#delivered.set(note, (this.#delivered.get(note) ?? 0) + 1);
      }),
    );
    this.#binding = bindQueryClient(this.#queryClient, this.#manager, {
      answers,
      windowMs: 5,
      graceMs: 200,
      watchdogMs: 2000,
      maxBackoffMs: 500,
    });
    const trpc = createTRPCOptionsProxy<AppRouter>({ client, queryClient: this.#queryClient });
    for (const topic of TOPICS) {
      const options = trpc.list.queryOptions(topic, { staleTime: Number.POSITIVE_INFINITY });
      this.#lists.push({ topic, queryKey: options.queryKey });
      this.#closing.push(new QueryObserver(this.#queryClient, options).subscribe(() => {}));
    }
  }

  startRound(): void {
    this.#delivered.clear();
    this.#unrecovered.clear();
  }

  /** What a user does whose page could not load at all: nobody but the app knows of a query that never had an answer. */
  tryAgain(): void {
    for (const query of this.#queryClient.getQueryCache().getAll())
      if (query.state.status === 'error' && query.state.data === undefined) void query.fetch().catch(() => {});
  }

  /** Of each list that is not as it should be: what it shows and what it should. */
  differences(truth: ReadonlyMap<string, readonly string[]>): string[] {
    return this.#lists.flatMap(({ topic, queryKey }) => {
      const data = JSON.stringify(this.#queryClient.getQueryData(queryKey)?.valueOf() ?? null);
      const expected = JSON.stringify(truth.get(topic) ?? []);
      const { state, detail } = this.#binding.status(queryKey);
      if (data === expected && state === 'live') return [];
      return `${this.name} list ${topic} is ${state} (${detail}), socket ${this.#manager.status.state}: shows ${data}, truth ${expected}`;
    });
  }

  /** How often the note arrived. */
  deliveries(note: string): number {
    return this.#delivered.get(note) ?? 0;
  }

  /** Whether something may have been missed on the topic's channel, and the tab knows it. */
  wasUnrecovered(topic: string): boolean {
    return this.#unrecovered.has(channelOf(topic));
  }

  close(): void {
    for (const close of this.#closing) close();
    this.#binding.dispose();
    this.#queryClient.clear();
    this.#manager.dispose();
  }
}
