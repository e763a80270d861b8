import { matchesQuery } from '@op/realtime';
import { bindQueryClient } from '@op/realtime/query';
import { QueryClient } from '@tanstack/query-core';
import { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';
import { percentile } from '../measure/statistics.ts';
import { StampedServer, untilTrue } from './bound-queries.ts';

const CACHED = 10_000;
const BOUND = 10;
const ROUNDS = 200;
const CHANNEL = 'trpc:org:1';
const MESSAGE = { type: 'query-invalidation', queryKey: ['bound'] } as const;

export interface WorkPerPublication {
  readonly oursMicros: number;
  readonly predicateMicros: number;
  /** How many times less we do. */
  readonly ratio: number;
}

/**
 * The time that one publication takes in a tab with 10,000 cached queries, 10 of which it concerns; none is mounted, so all that happens is that
 * they are marked. Beside it `invalidateQueries` with a predicate, which is what one writes by hand. Both in turn, in one run.
 */
export async function workPerPublication(): Promise<WorkPerPublication> {
  const manager = new FakeManager();
  const server = new StampedServer(manager, 0);
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  const binding = bindQueryClient(client, manager, { answers: server.answers });
  for (let at = 0; at < CACHED - BOUND; at++) client.setQueryData(['other', at], { at });
  const bound = Array.from({ length: BOUND }, (_, at) => ['bound', at]);
  const refresh = () =>
    Promise.all(
      bound.map((queryKey) =>
        client.fetchQuery({ queryKey, queryFn: server.queryFn(CHANNEL, () => ({})), staleTime: 0 }),
      ),
    );
  const invalidated = () => bound.filter((key) => client.getQueryState(key)?.isInvalidated).length;
  await refresh();
  await untilTrue(() => bound.every((key) => binding.status(key).detail !== 'unbound'));
  // Joined: as if one of them had been mounted before.
  const { observe } = await import('./bound-queries.ts');
  const first = observe(
    client,
    ['bound', 0],
    server.queryFn(CHANNEL, () => ({})),
  );
  await untilTrue(() => binding.status(['bound', 0]).state === 'live');
  first.end();

  const ours: number[] = [];
  const predicate: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve));
    let start = performance.now();
    manager.publish(CHANNEL, MESSAGE);
    await Promise.resolve();
    await Promise.resolve();
    ours.push((performance.now() - start) * 1000);
    if (invalidated() !== BOUND) throw new Error(`${invalidated()} of ${BOUND} queries were marked by the binding`);

    await refresh();
    await new Promise((resolve) => setTimeout(resolve));
    start = performance.now();
    await client.invalidateQueries({
      predicate: (query) => matchesQuery(MESSAGE, query.queryKey),
      refetchType: 'none',
    });
    predicate.push((performance.now() - start) * 1000);
    if (invalidated() !== BOUND) throw new Error(`${invalidated()} of ${BOUND} queries were marked by the predicate`);
  }
  binding.dispose();
  client.clear();
  const [oursMicros, predicateMicros] = [percentile(ours, 50), percentile(predicate, 50)];
  return { oursMicros, predicateMicros, ratio: predicateMicros / oursMicros };
}
