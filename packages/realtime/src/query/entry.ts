import type { QueryRecord } from '../core/freshness-records.ts';

/** What the refetcher needs of one cache entry; for TanStack Query a few lines around a `Query`. */
export interface QueryPort {
  /** It has an enabled observer and may be refetched. */
  isActive(): boolean;
  /** A request is on its way (`fetchStatus === 'fetching'`). */
  isFetching(): boolean;
  /** Make its next use fetch it (`query.invalidate()`). Called again and again; must be idempotent. */
  mark(): void;
  /**
   * Fetch it now, unless a fetch is running. Must not throw, and must lead to `started`, synchronously, if it begins one.
   * @param replace a running fetch hangs: give it up
   */
  fetch(replace: boolean): void;
}

/**
 * - `unbound`: no answer has named a channel
 * - `stale`: known to be, or not provably not, out of date; a fetch is due
 * - `uncovered`: a channel is not joined
 * - `suspect`: API and socket see different brokers
 * - `optimistic`: written by hand while an own mutation runs
 * - `live`: contains everything that was announced
 */
export type EntryStatus = 'unbound' | 'stale' | 'uncovered' | 'suspect' | 'optimistic' | 'live';

/** What an entry waits for. `running`: inside `port.fetch`. */
export type Phase = 'idle' | 'window' | 'deferred' | 'backoff' | 'polling' | 'running';

/** One fetch of an entry, from `started` to `settled`. */
export interface Fetch {
  readonly entry: Entry;
  /** Departure of its first request. */
  readonly tick: number;
  /** Started by the refetcher. */
  readonly ours: boolean;
  cancelWatchdog: () => void;
}

/** The refetcher's record of one cache entry. */
export interface Entry extends QueryRecord {
  readonly port: QueryPort;
  /** The fetch that runs now. */
  fetch: Fetch | null;
  phase: Phase;
  cancel: (() => void) | null;
  /** When the timer of `phase` is due. */
  dueMs: number;
  /** Over which time the pending news allows its fetch to be spread; infinite if there is no news. */
  spreadMs: number;
  /** Its place in that time, in [0, 1). */
  slot: number;
  /** Fetches in a row that did not help. */
  failures: number;
  /** Own fetches in a row that each bound a new channel. */
  chain: number;
  /** The running fetch has outlived the watchdog. */
  hung: boolean;
  /** Became active while a channel was in its grace. */
  undecided: boolean;
  /** The last fetch was a poll. */
  polled: boolean;
}
