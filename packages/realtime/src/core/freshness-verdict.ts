import type { Bond, ChannelRecord, QueryRecord } from './freshness-records.ts';
import type { Position } from './position.ts';

// What the records of `Freshness` say about a query now. Derived, never stored: nothing here changes a record.

/** Whether the query is known to be out of date: a joined channel has news, or a gap, that its data does not provably contain. */
export function isStale(query: QueryRecord): boolean {
  if (query.forced) return true;
  for (const [c, bond] of query.bonds) if (c.live && !isFresh(c, bond)) return true;
  return false;
}

/** Whether every channel of the query is joined. `false` for a query without channels. */
export function isCovered(query: QueryRecord): boolean {
  for (const c of query.bonds.keys()) if (!c.live) return false;
  return query.bonds.size > 0;
}

/** Whether the query was answered, after the join, by a server that sees another stream than our socket: two brokers, or one that restarted just now. */
export function isSuspect(query: QueryRecord): boolean {
  for (const [c, { stamp, floor }] of query.bonds)
    if (stamp && c.cursor && stamp.epoch !== c.cursor.epoch && floor?.epoch === c.cursor.epoch) return true;
  return false;
}

/** Whether the data provably contains everything that was announced: the only state in which "live" may be shown. */
export function isLive(query: QueryRecord): boolean {
  return isCovered(query) && !isStale(query) && !isSuspect(query) && !query.written;
}

/** The highest offset in the cursor's epoch that the proof contains, -1 if none. */
export function reached(cursor: Position | null, { floor, hintFloor, stamp }: Bond): number {
  return Math.max(...[floor, hintFloor, stamp].map((p) => (p && p.epoch === cursor?.epoch ? p.offset : -1)));
}

function isFresh({ cursor, base }: ChannelRecord, bond: Bond): boolean {
  return reached(cursor, bond) >= Math.max(base, bond.hit);
}
