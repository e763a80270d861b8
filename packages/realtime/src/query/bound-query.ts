import type { Query } from '@tanstack/query-core';
import { isInputOf, type procedureOf } from '../trpc/query-key.ts';
import type { Answer, Call } from './answers.ts';
import type { Entry, EntryStatus, Fetch } from './entry.ts';
import type { QueryFreshness } from './query-freshness.ts';

/** One query of the cache. */
export interface BoundQuery {
  readonly query: Query;
  readonly entry: Entry;
  readonly procedure: ReturnType<typeof procedureOf>;
  fetch: Fetch | null;
  /** Calls of the running fetch, as far as the key tells. */
  calls: Call[];
  /** What `answers` belong to. */
  data: unknown;
  answers: readonly Answer[];
  isActive: boolean;
  /** Channels that it keeps joined. */
  held: ReadonlySet<string>;
  freshness: QueryFreshness;
}

/** Whether the query may have made this call, as far as its key tells. */
export function isCallOf({ procedure }: BoundQuery, { path, input }: Call): boolean {
  return procedure?.path === path && isInputOf(procedure.input, input);
}

/** The answers that came so far. */
export function answersTo(calls: readonly Call[]): Answer[] {
  return calls.flatMap(({ answer }) => answer ?? []);
}

/** Takes note of what may be said about the query now, and since when. The same object as long as nothing changes. */
export function noteFreshness(bound: BoundQuery, status: EntryStatus, nowMs: number): QueryFreshness {
  const { entry, freshness } = bound;
  const detail = status === 'uncovered' && entry.polled ? 'polling' : status;
  const refetchAt = entry.cancel ? entry.dueMs : null;
  const isSame = detail === freshness.detail && freshness.since > 0;
  if (!isSame || refetchAt !== freshness.refetchAt)
    bound.freshness = {
      state: detail === 'live' || detail === 'stale' ? detail : 'unknown',
      detail,
      since: isSame ? freshness.since : nowMs,
      refetchAt,
    };
  return bound.freshness;
}
