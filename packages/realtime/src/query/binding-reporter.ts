import type { Query } from '@tanstack/query-core';
import type { Publication } from '../client/types.ts';
import {
  type BindingEvent,
  MAX_CAUSES,
  MAX_QUERIES_TOLD,
  type ObservedMutation,
  type ObservedQuery,
  type RefetchStarted,
  type StaleCause,
} from '../core/events.ts';
import type { Freshness } from '../core/freshness.ts';
import type { Announcement } from '../core/freshness-records.ts';
import { isStale } from '../core/freshness-verdict.ts';
import type { Message } from '../core/message.ts';
import { type Observers, tell } from '../core/observers.ts';
import type { Position } from '../core/position.ts';
import type { Entry, Fetch } from './entry.ts';
import { isSameData } from './is-same-data.ts';

/** News for an entry that its data does not contain yet. */
interface Pending {
  readonly sinceMs: number;
  causes: readonly StaleCause[];
}

/**
 * Tells observers what a binding does, and why. It stands between the channels and the model of freshness, so it knows which event made which entry stale.
 * Decides nothing; while nobody listens it only passes on.
 */
export class BindingReporter {
  readonly #freshness: Freshness<Entry>;
  readonly #observers: Observers<BindingEvent>;
  readonly #queryOf: (entry: Entry) => Query | undefined;
  readonly #now: () => number;
  /** Entries for which what the model is being told of now is news. */
  #news: Set<Entry> | null = null;
  /** The same for all that came in this turn. */
  readonly #turn = new Map<StaleCause, ReadonlySet<Entry>>();
  readonly #pending = new Map<Entry, Pending>();
  /** Fetches that were told of, each with the data before it. */
  readonly #fetches = new WeakMap<Fetch, { readonly event: RefetchStarted; readonly before: unknown }>();

  constructor(
    freshness: Freshness<Entry>,
    observers: Observers<BindingEvent>,
    queryOf: (entry: Entry) => Query | undefined,
    now: () => number,
  ) {
    this.#freshness = freshness;
    this.#observers = observers;
    this.#queryOf = queryOf;
    this.#now = now;
  }

  // ── on the way to the model ────────────────────────────────────────────────

  since(name: string): Position | null {
    return this.#freshness.since(name);
  }

  join(name: string, position: Position | null, recovered: boolean): void {
    const from = this.#freshness.channels.get(name)?.cursor;
    this.#during(
      () => this.#freshness.join(name, position, recovered),
      () => {
        // The place in the stream is kept, as the very object, where nothing was missed.
        const isGap = from && this.#freshness.channels.get(name)?.cursor !== from;
        return isGap ? this.#gap(name, from, position) : { type: 'join', channel: name, position };
      },
    );
  }

  publication(
    name: string,
    message: Message,
    { position, tags }: Pick<Publication, 'position' | 'tags'>,
    spreadMs: number,
  ): void {
    const c = this.#freshness.channels.get(name);
    const from = c?.cursor;
    const base = c?.base;
    this.#during(
      () => this.#freshness.publication(name, position?.offset ?? null, message, spreadMs),
      () =>
        from && c?.base !== base
          ? this.#gap(name, from, position)
          : { type: 'publication', channel: name, position, message, tags },
    );
  }

  uncovered(name: string): void {
    this.#freshness.uncovered(name);
  }

  unsubscribed(name: string): void {
    this.#freshness.unsubscribed(name);
  }

  /** A message that names these entries, on a channel that they are not bound to. */
  named(entries: readonly Entry[], message: Message, { channel, position, tags }: Publication, spreadMs: number): void {
    this.#during(
      () => {
        for (const entry of entries) this.#freshness.force(entry, spreadMs);
      },
      () => ({ type: 'publication', channel, position, message, tags }),
    );
  }

  mutating(mutation: ObservedMutation): void {
    this.#tell(() => ({ type: 'mutation-started', at: this.#now(), mutation }));
  }

  acknowledged(mutation: ObservedMutation, touched: readonly Announcement[]): void {
    this.#tell(() => ({ type: 'mutation-answered', at: this.#now(), mutation, touched }));
    this.#during(
      () => this.#freshness.acknowledged(touched),
      () => ({ type: 'mutation', mutation }),
    );
  }

  mutationEnded(mutation: ObservedMutation, failed: boolean): void {
    this.#tell(() => ({ type: 'mutation-ended', at: this.#now(), mutation, failed }));
  }

  /** What optimistic writes left behind may be older than the data that they replaced. */
  rolledBack(run: () => void): void {
    this.#during(run, () => ({ type: 'rollback' }));
  }

  // ── from the refetcher ─────────────────────────────────────────────────────

  /** The model has news for the entry. */
  news(entry: Entry): void {
    this.#news?.add(entry);
  }

  /** The turn is over, and these entries were judged. */
  judged(entries: readonly Entry[]): void {
    if (!this.#observers.size) {
      this.#turn.clear();
      this.#pending.clear();
      return;
    }
    for (const [cause, news] of this.#turn) this.#tellStale(cause, [...news].filter(isStale));
    this.#turn.clear();
    const cause: StaleCause = { type: 'earlier' };
    const earlier: Entry[] = [];
    for (const entry of entries) {
      if (!isStale(entry)) this.#pending.delete(entry);
      else if (!this.#pending.has(entry)) {
        this.#await(entry, cause);
        earlier.push(entry);
      }
    }
    this.#tellStale(cause, earlier);
  }

  started(fetch: Fetch, query: Query): void {
    if (!this.#observers.size) return;
    const { entry, ours } = fetch;
    const before = query.state.data;
    const event: RefetchStarted = {
      type: 'refetch-started',
      at: this.#now(),
      query: this.#observed(entry),
      reason: !ours ? 'app' : entry.polled ? 'poll' : isStale(entry) ? 'stale' : 'uncertain',
      causes: this.#pending.get(entry)?.causes ?? [],
      isFirst: before === undefined,
    };
    this.#fetches.set(fetch, { event, before });
    tell(this.#observers, event);
  }

  /** @param data what it brought, where it brought any */
  ended(fetch: Fetch, how: 'succeeded' | 'failed' | 'cancelled', data?: unknown): void {
    const told = this.#fetches.get(fetch);
    if (!told || !this.#observers.size) return;
    this.#fetches.delete(fetch);
    const { event, before } = told;
    const { entry } = fetch;
    const pending = this.#pending.get(entry);
    const isFresh = how === 'succeeded' && !isStale(entry);
    if (isFresh) this.#pending.delete(entry);
    else if (pending && how === 'succeeded') {
      const later = pending.causes.filter((cause) => !event.causes.includes(cause));
      if (later.length) pending.causes = later;
    }
    const at = this.#now();
    this.#tell(() => ({
      type: 'refetch-ended',
      at,
      fetch: event,
      outcome: how !== 'succeeded' ? how : isSameData(before, data) ? 'unchanged' : 'changed',
      durationMs: at - event.at,
      freshAfterMs: isFresh && pending ? at - pending.sinceMs : null,
    }));
  }

  removed(entry: Entry): void {
    this.#pending.delete(entry);
    for (const news of this.#turn.values()) (news as Set<Entry>).delete(entry);
  }

  #tell(make: () => BindingEvent): void {
    if (this.#observers.size) tell(this.#observers, make());
  }

  /** Runs what may be news for entries, and remembers what it was. */
  #during(run: () => void, cause: () => StaleCause): void {
    if (!this.#observers.size) {
      run();
      return;
    }
    const outer = this.#news;
    const news = new Set<Entry>();
    this.#news = news;
    try {
      run();
    } finally {
      this.#news = outer;
    }
    const why = cause(); // tells of a gap also where nothing is bound
    if (!news.size) return;
    this.#turn.set(why, news);
    for (const entry of news) this.#await(entry, why);
  }

  #gap(channel: string, from: Position, to: Position | null): StaleCause {
    this.#tell(() => ({ type: 'gap', at: this.#now(), channel, from, to }));
    return { type: 'gap', channel, from, to };
  }

  #await(entry: Entry, cause: StaleCause): void {
    const pending = this.#pending.get(entry);
    if (!pending) this.#pending.set(entry, { sinceMs: this.#now(), causes: [cause] });
    else pending.causes = [...pending.causes.slice(0, MAX_CAUSES - 1), cause];
  }

  #tellStale(cause: StaleCause, entries: readonly Entry[]): void {
    if (!entries.length) return;
    const queries = entries.slice(0, MAX_QUERIES_TOLD).map((entry) => this.#observed(entry));
    this.#tell(() => ({ type: 'stale', at: this.#now(), cause, queries, count: entries.length }));
  }

  #observed(entry: Entry): ObservedQuery {
    return { hash: this.#queryOf(entry)?.queryHash ?? '', key: entry.key, isActive: entry.port.isActive() };
  }
}
