import type { Message, QueryKey } from './message.ts';
import type { Position } from './position.ts';

/** One cache entry (the object, never its hash). Make it with `createQueryRecord`. */
export interface QueryRecord {
  readonly key: QueryKey;
  /** The channels it is bound to, with the proof for each. */
  readonly bonds: Map<ChannelRecord, Bond>;
  /** The tick of the last news without a position; 0 if none is unanswered. */
  forced: number;
  /** The tick of the last news of any kind. */
  news: number;
  /** Written by hand (`setQueryData`) while an own mutation runs: what is shown may be taken back. */
  written: boolean;
}

/** What is known about one channel. Plain data, written by `Freshness` alone. */
export interface ChannelRecord<Q extends QueryRecord = QueryRecord> {
  readonly name: string;
  readonly queries: Set<Q>;
  /** Joined on the current connection. */
  live: boolean;
  /** Uncovered for longer than the grace. */
  lost: boolean;
  /** Everything up to here was delivered, or skipped with `base` raised. */
  cursor: Position | null;
  /** Nothing is known about what lies at or below this offset; everything above it was seen one by one. */
  base: number;
  /** The highest offset heard of, from anywhere, in the cursor's epoch. */
  known: number;
  /** The highest position heard of in one other epoch, or before the first join. */
  hint: Position | null;
  /** At most `MAX_LOG` entries: what was known at which tick, and recent invalidations. */
  log: LogEntry[];
  /** The log holds every invalidation above this offset. */
  reach: number;
  /** Answers to requests that left before this tick prove nothing. */
  validFrom: number;
}

/** The proof of a query for one channel: each position is contained in its data. */
export interface Bond {
  floor: Position | null;
  hintFloor: Position | null;
  stamp: Position | null;
  /** The offset of the last news for this query, 0 if none. */
  hit: number;
}

/** What was known about a channel at a tick, and a message that came with it. */
export interface LogEntry {
  tick: number;
  floor: Position | null;
  hint: Position | null;
  offset: number;
  message: Message | null;
}

/** What came with one answer. */
export interface AnswerPart {
  /** From `depart()`, taken when the request left; 0 if the answer was not made for this request (an HTTP cache, server rendering). */
  readonly tick: number;
  /** The channels the data depends on, each with its stamp if the server could read it. */
  readonly channels: Iterable<readonly [name: string, stamp: Position | null]>;
}

/** What an own mutation announced. `position`: `null` where the server did not learn it in time. */
export interface Announcement {
  readonly channel: string;
  readonly position: Position | null;
  readonly message: Message;
}
