import { matchesQuery } from '@op/realtime';
import { bindQueryClient } from '@op/realtime/query';
import { QueryClient } from '@tanstack/query-core';
import { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';
import { median } from '../measure/statistics.ts';
import { observe, StampedServer, untilTrue } from './bound-queries.ts';

const CACHED = 10_000;
const BOUND = 10;
const CHANNELS = CACHED / BOUND;
const ROUNDS = 7;

export interface WorkPerPublication {
  readonly oursMicros: number;
  readonly predicateMicros: number;
  /** How many times less we do. */
  readonly ratio: number;
}

const invalidation = (channel: number) => ({ type: 'query-invalidation', queryKey: ['of', channel] }) as const;

/**
 * The time that one publication takes in a tab with 10,000 cached queries, 10 of which are bound to its channel; none is mounted, so all that happens
 * is that they are marked. Beside it `invalidateQueries` with a predicate, which is what one writes by hand, for the same 10 queries. Each round publishes once
 * on each of 1,000 channels, so that no query is marked twice, and turn by turn one way and the other.
 */
export async function workPerPublication(): Promise<WorkPerPublication> {
  const manager = new FakeManager();
  const server = new StampedServer(manager, 0);
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  const binding = bindQueryClient(client, manager, { answers: server.answers, leaveGraceMs: 600_000 });
  const queries = Array.from({ length: CACHED }, (_, at) => {
    const channel = Math.floor(at / BOUND);
    return { queryKey: ['of', channel, at % BOUND], queryFn: server.queryFn(`trpc:org:${channel}`, () => ({})) };
  });
  const refresh = () => Promise.all(queries.map((query) => client.fetchQuery({ ...query, staleTime: 0 })));
  const expectMarked = (by: string) => {
    const marked = queries.filter(({ queryKey }) => client.getQueryState(queryKey)?.isInvalidated).length;
    if (marked !== CACHED) throw new Error(`${marked} of ${CACHED} queries were marked by ${by}`);
  };
  await refresh();
  // Each channel is joined for a query that is on screen, and stays joined for a while after it has left.
  const firsts = queries.filter((_, at) => at % BOUND === 0);
  const mounted = firsts.map(({ queryKey, queryFn }) => observe(client, queryKey, queryFn));
  await untilTrue(() => firsts.every(({ queryKey }) => binding.status(queryKey).state === 'live'));
  for (const { end } of mounted) end();

  const ours: number[] = [];
  const predicate: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, 50));
    let start = performance.now();
    for (let channel = 0; channel < CHANNELS; channel++) {
      manager.publish(`trpc:org:${channel}`, invalidation(channel));
      await Promise.resolve();
    }
    await Promise.resolve();
    ours.push(((performance.now() - start) * 1000) / CHANNELS);
    expectMarked('the binding');

    await refresh();
    await new Promise((resolve) => setTimeout(resolve, 50));
    start = performance.now();
    for (let channel = 0; channel < CHANNELS; channel++) {
      const message = invalidation(channel);
      await client.invalidateQueries({ predicate: (query) => matchesQuery(message, query.queryKey) });
    }
    predicate.push(((performance.now() - start) * 1000) / CHANNELS);
    expectMarked('the predicate');
  }
  binding.dispose();
  client.clear();
  const [oursMicros, predicateMicros] = [median(ours), median(predicate)];
  return { oursMicros, predicateMicros, ratio: predicateMicros / oursMicros };
}
