/**
 * What a scenario of the model consists of. A scenario is small enough to try every order of its events: a few queries, channels and writes, and a
 * budget for each kind of fault.
 */
export interface Scenario {
  readonly name: string;
  readonly channels: number;
  /** Publications that the broker keeps per channel. */
  readonly history: number;
  /** One list of queries per tab. */
  readonly tabs: readonly (readonly QuerySpec[])[];
  readonly writes: readonly WriteSpec[];
  /** How often each fault may happen. */
  readonly faults?: Partial<Record<Fault, number>>;
  /** First joins recover from the lowest stamp. */
  readonly since?: boolean;
  /** The server never learns a stamp in time. */
  readonly noStamps?: boolean;
  /** Every answer after the first is a replay of it, out of an HTTP cache. */
  readonly alwaysCached?: boolean;
  /** The API talks to broker 0, sockets to broker 1 (`fixed`), or the API to either (`alternating`). */
  readonly split?: 'fixed' | 'alternating';
  /** Stamp and data are read in two steps. */
  readonly slowRead?: boolean;
  /** A back-off is the right answer to what happens here. */
  readonly backsOff?: boolean;
  /** Upper bound of distinct states for the full run. @default 1_000_000 */
  readonly maxStates?: number;
}

export const FAULTS = [
  'drop',
  'restart',
  'stampTimeout',
  'publishLost',
  'deliveryLost',
  'deliveryDoubled',
  'fetchFails',
  'fetchHangs',
  'fetchCancelled',
  'cached',
  'unmount',
  'mount',
  'hide',
  'leave',
  'grace',
  'remove',
  'refuse',
  'positionLost',
  'mutationFails',
  'mutationAnswerLost',
  'appFetch',
  'forget',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface QuerySpec {
  /** What its key says; messages with a key name it. */
  readonly kind: number;
  /** What the server answers as its channels, by the number of answers given before. */
  readonly channels: (answers: number) => readonly number[];
  /** @default true */
  readonly active?: boolean;
}

export interface WriteSpec {
  readonly channel: number;
  /** What it publishes: an invalidation of the whole channel, of one kind of query, or an event. */
  readonly message: 'channel' | 'key' | 'event';
  /** The kind of query whose data it changes; with `message: 'channel'` any kind. */
  readonly kind?: number;
  /** The tab whose mutation it is; others are made by somebody else. */
  readonly tab?: number;
  /** The mutation writes the cache by hand at once and restores it when it fails. */
  readonly optimistic?: boolean;
  /** The app fetches all its queries in `onSuccess`. */
  readonly invalidates?: boolean;
}

/** Whether the data of a query contains the write once it is committed. */
export function reads(query: QuerySpec, write: WriteSpec, channels: number): boolean {
  if (write.message === 'event') return false;
  if (write.message === 'key') return write.kind === query.kind;
  for (let answers = 0; answers <= channels; answers++)
    if (query.channels(answers).includes(write.channel)) return true;
  return false;
}
