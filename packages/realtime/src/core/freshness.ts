import type { Announcement, AnswerPart, Bond, ChannelRecord, QueryRecord } from './freshness-records.ts';
import { reached } from './freshness-verdict.ts';
import { matchesQuery } from './matches-query.ts';
import type { Message, QueryKey } from './message.ts';
import { olderPosition, type Position } from './position.ts';

/**
 * Which queries are out of date, decided from positions alone: no I/O, no clock, no framework (design §4).
 *
 * A channel is a stream whose publications have positions `{ epoch, offset }`. A query is bound to the channels that its last answer named, and
 * holds a proof per channel: positions that its data is known to contain. News (a publication, an own mutation, a gap in the stream) moves
 * what the proof must reach. Proofs never change until new data comes; so an event that invalidates nothing costs nothing.
 *
 * Three kinds of proof, each "the data is at least as new as this":
 * - **stamp**: the position the server read before it read the data;
 * - **floor**: the position this client had already heard of when the request left;
 * - **hint floor**: the same in another epoch than the one followed now, or before the first join.
 *
 * Call the methods as things happen, in the order in which they happen. Each reports the queries that it may have changed through `touched`,
 * synchronously and possibly more than once. Judge them once the turn is over: a recovered join and the publications it brings are one event.
 */
export class Freshness<Q extends QueryRecord = QueryRecord> {
  /** By name. A record lives while a query is bound to it or it is joined. */
  readonly channels = new Map<string, ChannelRecord<Q>>();
  /** Queries with a request on its way; kept by the refetcher. Their channels may be unknown yet, so news without a position concerns them too. */
  readonly fetching = new Set<Q>();
  /** Counts departures: puts everything that happens before or after the start of a request, without copying positions. */
  tick = 1;
  /** Over which time refetches are spread after the broker lost its history, which strikes all tabs at once. As the last answer told. */
  lostHistorySpreadMs = 0;
  readonly #touched: (query: Q, spreadMs?: number) => void;

  /** @param touched called with each query whose state may have changed; with `spreadMs`, the time over which its refetch may be spread, if there is news for it. */
  constructor(touched: (query: Q, spreadMs?: number) => void) {
    this.#touched = touched;
  }

  /** A request leaves now (every attempt, every page). Keep the number with the request: it is the `tick` of its answer. */
  depart(): number {
    return this.tick++;
  }

  /**
   * The channel was joined on the current connection.
   * @param position recovered: where recovery started, the missed publications follow. Else the top of the stream. `null`: no history, so
   * nothing is known about the time before.
   */
  join(name: string, position: Position | null, recovered: boolean): void {
    const c = this.#channel(name);
    const { cursor } = c;
    const at = position ?? { epoch: `~${this.tick++}`, offset: 0 }; // without history every join begins a stream of its own
    const same = cursor?.epoch === at.epoch;
    const ahead = same ? at.offset - cursor.offset : 1;
    c.live = true;
    c.lost = false;
    // Unrecovered at the very place where we were: the broker could not recover, but nothing was missed.
    const continues = same && (recovered ? ahead <= 0 : ahead === 0);
    if (!continues) {
      if (!same || ahead < 0) {
        c.known = c.reach = at.offset;
        for (const entry of c.log) entry.message = null;
        for (const q of c.queries) q.bonds.get(c)!.hit = 0;
      }
      if (same && ahead < 0) {
        // Offsets went back inside an epoch: a restored broker. No position of the lost stretch may prove anything.
        c.log = [];
        c.validFrom = this.tick++;
        if (c.hint?.epoch === at.epoch) c.hint = null;
        for (const q of c.queries) Object.assign(q.bonds.get(c)!, { floor: null, hintFloor: null, stamp: null });
      }
      c.cursor = at;
      c.base = at.offset;
      c.known = Math.max(c.known, at.offset, c.hint?.epoch === at.epoch ? c.hint.offset : 0);
      this.#log(c);
    }
    // Another stream than the one we followed: it was lost, and with it that of everybody. A gap within one is our own.
    const spreadMs = cursor && (!same || ahead < 0) ? this.lostHistorySpreadMs : 0;
    for (const q of c.queries) continues ? this.#touched(q) : this.#news(q, spreadMs);
  }

  /**
   * A publication on a joined channel, in the order of delivery. Ignored where the channel is not joined.
   * @param offset `null` where the publication has none: then the news counts from now on.
   */
  publication(name: string, offset: number | null, message: Message, spreadMs = 0): void {
    const c = this.channels.get(name);
    if (!c?.live || !c.cursor) return;
    if (offset === null) {
      this.#forceMatching(name, message, spreadMs);
      return;
    }
    const ahead = offset - c.cursor.offset;
    if (ahead <= 0) return; // a duplicate: the cursor never moves back
    c.cursor = { epoch: c.cursor.epoch, offset };
    c.known = Math.max(c.known, offset);
    if (ahead > 1) {
      c.base = offset; // something was lost on the way
      for (const q of c.queries) this.#news(q, spreadMs);
    }
    this.#hit(c, offset, message, spreadMs);
  }

  /**
   * An own mutation was answered. Call it before the app's `onSuccess`: what it fetches there then counts as newer, and the echo is free.
   * The cursor stays: only what the socket delivered, in order, moves it.
   */
  acknowledged(announcements: readonly Announcement[]): void {
    for (const { channel, position, message } of announcements) {
      const c = this.channels.get(channel);
      if (c?.cursor && position?.epoch === c.cursor.epoch) {
        if (position.offset <= c.cursor.offset) continue; // the echo came first and did it
        c.known = Math.max(c.known, position.offset);
        this.#hit(c, position.offset, message, 0);
        if (c.live) continue;
      } else if (c) this.#heard(c, position);
      this.#forceMatching(channel, message, 0);
    }
  }

  /** The channel is not joined any more, for now. What was learnt from it stays. */
  uncovered(name: string): void {
    const c = this.channels.get(name);
    if (!c) return;
    c.live = false;
    this.#touchAll(c);
  }

  /** The channel has been uncovered for too long: its unused queries are to be marked. */
  graceOver(name: string): void {
    const c = this.channels.get(name);
    if (!c || c.live) return;
    c.lost = true;
    this.#touchAll(c);
  }

  /** The channel was left, or refused. Its stream is forgotten; the proofs of its queries stay, for positions are absolute. */
  unsubscribed(name: string): void {
    const c = this.channels.get(name);
    if (!c) return;
    for (const q of c.queries) q.bonds.get(c)!.hit = 0;
    Object.assign(c, blank(), { lost: true, hint: place(c) ?? c.hint });
    this.#log(c);
    this.#dropUnused(c);
    this.#touchAll(c);
  }

  /** News without a usable position: the query is stale until data comes whose request leaves after this. */
  force(query: Q, spreadMs = 0): void {
    query.forced = this.tick;
    this.#news(query, spreadMs);
  }

  /**
   * New data is in the cache entry. `parts` are the answers it is made of (pages, several calls); none: the entry is not bound any more.
   * @param tick the start of the fetch; 0 for data that no request of this client brought
   * @returns whether a channel was bound that was not bound before
   */
  settle(query: Q, parts: readonly AnswerPart[], tick: number): boolean {
    const answers = new Map<string, { tick: number; stamp: Position | null }>();
    let left = tick;
    for (const part of parts) {
      left = Math.min(left, part.tick);
      for (const [name, stamp] of part.channels) {
        const other = answers.get(name);
        answers.set(
          name,
          other
            ? { tick: Math.min(other.tick, part.tick), stamp: olderPosition(other.stamp, stamp) }
            : { tick: part.tick, stamp },
        );
      }
    }
    if (query.forced <= left) query.forced = 0;
    query.written = false;
    for (const c of query.bonds.keys()) if (!answers.has(c.name)) this.#unbind(query, c);
    let bound = false;
    for (const [name, answer] of answers) {
      const c = this.#channel(name);
      const old = query.bonds.get(c);
      const floors = answer.tick ? c.log.findLast((entry) => entry.tick <= answer.tick) : null;
      const stamp = answer.tick < c.validFrom ? null : answer.stamp;
      this.#heard(c, stamp);
      const bond: Bond = { floor: floors?.floor ?? null, hintFloor: floors?.hint ?? null, stamp, hit: old?.hit ?? 0 };
      query.bonds.set(c, bond);
      c.queries.add(query);
      if (!old) {
        bond.hit = lookBack(c, query, bond);
        query.news = this.tick;
        bound = true;
      }
    }
    this.#touched(query);
    return bound;
  }

  /** The query left the cache. */
  remove(query: Q): void {
    for (const c of query.bonds.keys()) this.#unbind(query, c);
    this.fetching.delete(query);
  }

  /** Where a first join should recover from, so that the time since the answers is accounted for: the lowest stamp of the bound queries; of two epochs, in the one heard of last. */
  since(name: string): Position | null {
    const c = this.channels.get(name);
    if (!c || c.cursor) return null;
    let lowest: Position | null = null;
    for (const q of c.queries) {
      const { stamp } = q.bonds.get(c)!;
      if (!stamp?.epoch) continue;
      const isLower =
        lowest?.epoch === stamp.epoch ? stamp.offset < lowest.offset : !lowest || stamp.epoch === c.hint?.epoch;
      if (isLower) lowest = stamp;
    }
    return lowest;
  }

  #channel(name: string): ChannelRecord<Q> {
    let c = this.channels.get(name);
    if (!c) {
      c = { name, queries: new Set(), validFrom: 0, ...blank() };
      this.channels.set(name, c);
    }
    return c;
  }

  #unbind(query: Q, c: ChannelRecord): void {
    query.bonds.delete(c);
    c.queries.delete(query);
    this.#dropUnused(c);
  }

  #dropUnused(c: ChannelRecord): void {
    if (!c.queries.size && !c.live) this.channels.delete(c.name);
  }

  /** A position learnt from an answer: a floor for later requests. It is no news: the socket will deliver what concerns us. */
  #heard(c: ChannelRecord<Q>, position: Position | null): void {
    if (!position) return;
    if (position.epoch === c.cursor?.epoch) c.known = Math.max(c.known, position.offset);
    else if (position.epoch !== c.hint?.epoch || position.offset > c.hint.offset) c.hint = position;
    this.#log(c);
  }

  #hit(c: ChannelRecord<Q>, offset: number, message: Message, spreadMs: number): void {
    this.#log(c, offset, message);
    for (const q of c.queries) {
      if (!concerns(message, q)) continue;
      const bond = q.bonds.get(c)!;
      bond.hit = Math.max(bond.hit, offset);
      this.#news(q, spreadMs);
    }
  }

  #forceMatching(name: string, message: Message, spreadMs: number): void {
    const c = this.channels.get(name);
    for (const q of new Set([...(c?.queries ?? []), ...this.fetching]))
      if (concerns(message, q)) this.force(q, spreadMs);
  }

  #news(query: Q, spreadMs = 0): void {
    query.news = this.tick;
    this.#touched(query, spreadMs);
  }

  #touchAll(c: ChannelRecord<Q>): void {
    for (const q of c.queries) this.#touched(q);
  }

  /** Remembers what is known as of this tick, and the message if it invalidates, for requests on their way and queries that bind later. */
  #log(c: ChannelRecord<Q>, offset = 0, message: Message | null = null): void {
    const last = c.log.at(-1);
    const floor = place(c);
    if (message?.type === 'event') message = null;
    if (!message && last?.tick === this.tick) {
      last.floor = floor;
      last.hint = c.hint;
    } else if (c.log.push({ tick: this.tick, floor, hint: c.hint, offset, message }) > MAX_LOG) {
      const dropped = c.log.shift()!;
      if (dropped.message) c.reach = Math.max(c.reach, dropped.offset);
    }
  }
}

export function createQueryRecord(key: QueryKey): QueryRecord {
  return { key, bonds: new Map(), forced: 0, news: 0, written: false };
}

/** Entries of a channel's log. A query that binds after more invalidations than this during its fetch costs one extra refetch. */
const MAX_LOG = 64;

function blank() {
  return {
    live: false,
    lost: false,
    cursor: null,
    base: 0,
    known: 0,
    hint: null,
    log: [],
    reach: 0,
  } satisfies Partial<ChannelRecord>;
}

/** The last news for a query on a channel that it was not bound to while the news came. */
function lookBack(c: ChannelRecord, query: QueryRecord, bond: Bond): number {
  if (reached(c.cursor, bond) < c.reach) return c.known; // the log does not tell: assume there was some
  return Math.max(0, ...c.log.map(({ message, offset }) => (message && concerns(message, query) ? offset : 0)));
}

function place({ cursor, known }: ChannelRecord): Position | null {
  return cursor && { epoch: cursor.epoch, offset: known };
}

function concerns(message: Message, { key }: QueryRecord): boolean {
  return (
    message.type === 'channel-invalidation' || (message.type === 'query-invalidation' && matchesQuery(message, key))
  );
}
