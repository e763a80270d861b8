import { useSyncExternalStore } from 'react';
import type { QueryKey } from '../core/message.ts';
import { type QueryFreshness, UNBOUND } from '../query/query-freshness.ts';
import { useRealtimeStore } from './realtime-context.ts';

/**
 * What may be said about the data of a query now: `live`, `stale` or `unknown`, and since when. On a server: `unknown`.
 *
 * ```tsx
 * const { state, since } = useFreshness(trpc.posts.list.queryKey());
 * ```
 */
export function useFreshness(queryKey: QueryKey): QueryFreshness {
  const store = useRealtimeStore();
  return useSyncExternalStore(
    store.onFreshness,
    () => store.freshness(queryKey),
    () => UNBOUND,
  );
}
