import type { EntryStatus } from './entry.ts';

/** What may be said about a query now. */
export interface QueryFreshness {
  /**
   * - `live`: it holds everything that was announced, and the next announcement will be heard.
   * - `stale`: something newer is known to exist, or to be missed; a fetch is due, or the next use fetches.
   * - `unknown`: neither can be said; `detail` tells why.
   */
  readonly state: 'live' | 'stale' | 'unknown';
  /**
   * - `unbound`: no answer named a channel, so nobody announces its changes
   * - `uncovered`: not connected, or a channel of it is not joined (yet)
   * - `polling`: uncovered for so long that it is fetched from time to time
   * - `suspect`: API and sockets seem to be different brokers
   * - `optimistic`: written by hand while a mutation runs
   */
  readonly detail: EntryStatus | 'polling';
  /** When `detail` was first seen, in milliseconds since the Unix epoch; 0 for a query that nothing is known about. */
  readonly since: number;
  /**
   * When it is fetched by itself, in milliseconds since the Unix epoch: the end of the window in which news is gathered, its slot where refetches are spread, a
   * back-off, or the next poll. `null`: nothing is due, a fetch runs, or (`stale`) it waits for being used, seen or online.
   */
  readonly refetchAt: number | null;
}

/** Of a query that nothing is known about. */
export const UNBOUND: QueryFreshness = { state: 'unknown', detail: 'unbound', since: 0, refetchAt: null };
