import { Answers } from '@op/realtime/query';
import { type QueryClient, type QueryKey, QueryObserver } from '@tanstack/query-core';
import { toWireMeta } from '../../../packages/realtime/src/trpc/metadata.ts';
import type { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';

/** What a tRPC server with `watches` would have the link remember about an answer. */
export class StampedServer {
  readonly answers = new Answers('bench');
  fetches = 0;
  aborted = 0;
  readonly #manager: FakeManager;
  readonly #latencyMs: number;
  readonly #lostHistorySpreadMs: number;

  constructor(manager: FakeManager, latencyMs: number, lostHistorySpreadMs = 0) {
    this.#manager = manager;
    this.#latencyMs = latencyMs;
    this.#lostHistorySpreadMs = lostHistorySpreadMs;
  }

  /** A query function whose answer is bound to the channel, read and stamped when the request arrives, and `latencyMs` on its way. */
  queryFn<T extends object>(channel: `trpc:${string}`, read: () => T) {
    return async ({ signal }: { signal?: AbortSignal }): Promise<T> => {
      this.fetches++;
      const take = this.answers.called('bench', undefined);
      const stamp = this.#manager.top(channel);
      const data = read();
      const meta = toWireMeta({
        requestId: true,
        channels: [{ channel, stamp, grant: null }],
        touched: [],
        lostHistorySpreadMs: this.#lostHistorySpreadMs,
      });
      if (this.#latencyMs)
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(resolve, this.#latencyMs);
          signal?.addEventListener('abort', () => {
            this.aborted++;
            clearTimeout(timer);
            reject(new Error('aborted'));
          });
        });
      this.answers.set(data, take(meta));
      return data;
    };
  }
}

/** Keeps a query active, as a mounted component does. */
export function observe(
  client: QueryClient,
  queryKey: QueryKey,
  queryFn: (context: { signal?: AbortSignal }) => Promise<unknown>,
) {
  const observer = new QueryObserver(client, { queryKey, queryFn, staleTime: Number.POSITIVE_INFINITY, retry: false });
  return { observer, end: observer.subscribe(() => {}) };
}

export async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
