import type { MutationCache, Query, QueryClient } from '@tanstack/query-core';
import type { QueryPort } from './entry.ts';

/**
 * All that is known about the inside of TanStack Query; `query-cache.test.ts` checks it against the real library. Types only: the app's own copy runs.
 *
 * - `'fetch'` events: one per fetch, also where it replaces another; none per retry.
 * - At a `'success'` that is not `manual`, `query.promise` still resolves to the raw answer, while `state.data` may hold older, equal references.
 * - A cancelled fetch says `'setState'` (reverted) or `'error'`; one that is replaced says nothing.
 * - A mutation says `'success'` or `'error'` when its callbacks are done, and does not count as pending then.
 */

/** What happens to the queries of a client. */
interface QueryEvents {
  /** It is in the cache, and may be fetching already where it was there before it was followed. */
  added(query: Query): void;
  removed(query: Query): void;
  /** Observers came, went, or changed their options. */
  used(query: Query): void;
  /** A fetch begins, perhaps in the place of another. */
  fetching(query: Query): void;
  /** A fetch brought data; `raw` is what the query function returned. */
  succeeded(query: Query, raw: Promise<unknown> | undefined): void;
  /** A fetch ended without data. */
  failed(query: Query): void;
  /** Data was written by hand. */
  written(query: Query): void;
  /** The state was replaced: hydration, reset, a cancelled fetch. */
  replaced(query: Query): void;
}

/** Reports what happens to the queries of a client, those that exist already included. */
export function followQueries(client: QueryClient, events: QueryEvents): () => void {
  const cache = client.getQueryCache();
  for (const query of cache.getAll()) events.added(query);
  return cache.subscribe((event) => {
    const { type, query } = event;
    if (type === 'added') events.added(query);
    else if (type === 'removed') events.removed(query);
    else if (type === 'updated') {
      const { action } = event;
      if (action.type === 'fetch') events.fetching(query);
      else if (action.type === 'success')
        action.manual ? events.written(query) : events.succeeded(query, query.promise);
      else if (action.type === 'error') events.failed(query);
      else if (action.type === 'setState') events.replaced(query);
    } else if (type !== 'observerResultsUpdated') events.used(query);
  });
}

/** Calls back whenever a mutation moved on; `failed` at the end of one that failed. */
export function followMutations(cache: MutationCache, moved: (failed: boolean) => void): () => void {
  return cache.subscribe((event) => {
    if (event.type === 'updated') moved(event.action.type === 'error');
    else if (event.type === 'removed') moved(false);
  });
}

/** Whether a mutation of the app is under way; those that wait for the network count only with `paused`. */
export function hasPendingMutation(cache: MutationCache, paused: boolean): boolean {
  return cache.getAll().some(({ state }) => state.status === 'pending' && (paused || !state.isPaused));
}

/** Lets the refetcher act on a query. */
export function portOf(query: Query): QueryPort {
  return {
    isActive: () => query.isActive() && !query.isStatic(),
    isFetching: () => query.state.fetchStatus === 'fetching',
    mark: () => query.invalidate(),
    fetch(cancelRefetch) {
      // Stays marked should the fetch be cancelled.
      query.invalidate();
      // The query's own state tells what went wrong.
      query.fetch(undefined, { cancelRefetch }).catch(() => {});
    },
  };
}

/** Whether a fetch makes no sense while the page is offline. `always` never pauses: its function may well answer without a network. */
export function needsNetwork({ options }: Query): boolean {
  return options.networkMode !== 'always';
}

/** Whether the fetch that just brought data added pages and kept the others. */
export function hasKeptPages({ state }: Query): boolean {
  return !!state.fetchMeta?.fetchMore;
}

/** The query with this key, by the client's own hashing; searching the cache would hash every key again. */
export function findQuery(client: QueryClient, queryKey: readonly unknown[]): Query | undefined {
  return client.getQueryCache().get(client.defaultQueryOptions({ queryKey }).queryHash);
}
