import { matchesQuery } from '@op/realtime';
import { bindQueryClient } from '@op/realtime/query';
import { QueryClient } from '@tanstack/query-core';
import { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';
import { percentile } from '../measure/statistics.ts';
import { observe, StampedServer } from './bound-queries.ts';

const CHANNEL = 'trpc:org:1';
const MESSAGE = { type: 'query-invalidation', queryKey: ['count'] } as const;
const FETCH_MS = 250;
const PUSHING_MS = 8000;

export interface PushRate {
  readonly pushesPerSecond: number;
  readonly client: 'bound' | 'naive';
  readonly fetches: number;
  readonly aborted: number;
  /** From a commit to the first data on screen that holds it. */
  readonly timeToFreshP50Ms: number;
  readonly timeToFreshMaxMs: number;
  /** What is on screen half a second after the last fetch could have ended. */
  readonly endsExact: boolean;
}

/** One mounted query whose fetch takes 250 ms, under a steady stream of pushes: bound by us, and beside it with `invalidateQueries` on every message. */
export async function pushRate(pushesPerSecond: number, kind: PushRate['client']): Promise<PushRate> {
  const manager = new FakeManager();
  const server = new StampedServer(manager, FETCH_MS);
  const client = new QueryClient();
  let count = 0;
  const committedAt: number[] = [0];
  const binding = kind === 'bound' ? bindQueryClient(client, manager, { answers: server.answers }) : null;
  if (kind === 'naive')
    manager.subscribe(CHANNEL, (message) => {
      if (message.type === 'query-invalidation')
        void client.invalidateQueries({ predicate: (query) => matchesQuery(message, query.queryKey) });
    });
  const { observer, end } = observe(
    client,
    ['count'],
    server.queryFn(CHANNEL, () => ({ count })),
  );
  let shown = 0;
  const times: number[] = [];
  const unsubscribe = observer.subscribe(({ data }) => {
    const value = (data as { count: number } | undefined)?.count ?? 0;
    for (; shown < value; shown++) times.push(performance.now() - committedAt[shown + 1]!);
  });
  await new Promise((resolve) => setTimeout(resolve, FETCH_MS * 2));

  const startedAt = performance.now();
  const fetchesBefore = server.fetches;
  while (performance.now() - startedAt < PUSHING_MS) {
    if (count < ((performance.now() - startedAt) / 1000) * pushesPerSecond) {
      committedAt[++count] = performance.now();
      manager.publish(CHANNEL, MESSAGE);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise((resolve) => setTimeout(resolve, FETCH_MS * 2 + 500));
  const result = {
    pushesPerSecond,
    client: kind,
    fetches: server.fetches - fetchesBefore,
    aborted: server.aborted,
    timeToFreshP50Ms: percentile(times, 50),
    timeToFreshMaxMs: Math.max(...times),
    endsExact: shown === count,
  };
  unsubscribe();
  end();
  binding?.dispose();
  client.clear();
  return result;
}
