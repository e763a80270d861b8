import type { Query, QueryClient } from '@tanstack/react-query';

/**
 * Marks what matches as stale and refetches what is on screen. A query in its very first fetch would swallow the mark (TanStack Query clears it
 * with the answer, however old that is), so such a one is marked again when its answer is there.
 */
export async function invalidate(queryClient: QueryClient, predicate: (query: Query) => boolean): Promise<void> {
  const first = queryClient
    .getQueryCache()
    .findAll({ predicate, fetchStatus: 'fetching' })
    .filter((query) => query.state.data === undefined);
  const all = queryClient.invalidateQueries({ predicate });
  await Promise.allSettled(first.map((query) => query.promise));
  if (first.length > 0) await queryClient.invalidateQueries({ predicate: (query) => first.includes(query) });
  await all;
}
