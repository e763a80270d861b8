import type { Bond, ChannelRecord } from '../src/core/freshness-records.ts';
import type { Position } from '../src/core/position.ts';
import { epochNumber } from './broker.ts';
import { FAULTS } from './scenario.ts';
import type { FetchModel, QueryModel, Tab, WriteMessage } from './tab.ts';
import type { World } from './world.ts';

/**
 * A state as two 32-bit numbers, for the table of states seen. Everything that can make a difference to what happens later goes in, and nothing that
 * cannot: of the ticks only their order, of the logs only what a request on its way, or a query that binds later, could still look up.
 */
export function fingerprint(world: World): readonly [number, number] {
  length = 0;
  put(world.database);
  for (const fault of FAULTS) if (world.scenario.faults?.[fault]) put(world.budget[fault]);
  for (const write of world.writes) {
    put(STAGES.indexOf(write.stage) * 4 + MUTATIONS.indexOf(write.mutation));
    put(write.broker);
    putPosition(write.position);
    for (const [query, data] of write.snapshots) put(data, query.removed ? 1 : 0);
  }
  for (const broker of world.brokers) {
    put(broker.epoch);
    for (const { top, kept } of broker.streams) {
      put(top, kept.length);
      for (const { write } of kept) put(write);
    }
  }
  for (const tab of world.tabs) putTab(tab);
  return hash();
}

const STAGES = ['new', 'committed', 'announced', 'unannounced'];
const MUTATIONS = ['none', 'running', 'ended'];
const PHASES = ['idle', 'window', 'deferred', 'backoff', 'polling', 'running'];
const FETCH_STAGES = ['sent', 'stamped', 'read'];

function putTab(tab: Tab): void {
  put(flags(tab.connected, tab.hidden, tab.unhealthy), tab.mutations, tab.acknowledged, tab.told, tab.unprompted);
  for (const sub of tab.subs) {
    put(flags(sub.asked, sub.live, sub.refused));
    putPosition(sub.position);
  }
  put(tab.socket.length);
  for (const delivery of tab.socket) {
    put(delivery.channel);
    if (delivery.kind === 'publication') put(delivery.offset, delivery.write);
    else if (delivery.kind === 'join') {
      putPosition(delivery.position);
      put(flags(delivery.recovered), delivery.accounted, delivery.missed.length);
      for (const { write } of delivery.missed) put(write);
    } else put(-2);
  }
  for (const oracle of tab.oracles) {
    putHeard(oracle.heard);
    put(oracle.epoch === null ? -1 : epochNumber(oracle.epoch), oracle.cursor, oracle.gap, oracle.told.length);
    for (const { epoch, offset, write } of oracle.told) put(epochNumber(epoch), offset, write);
  }
  put(tab.timers.length);
  for (const timer of tab.timers) put(timer.delayMs, timer.owner ? tab.requests.indexOf(timer.owner) : -1);
  put(tab.refetcher.freshness.channels.size);
  for (let c = 0; c < tab.subs.length; c++) putChannel(tab, tab.refetcher.freshness.channels.get(`c${c}`));
  for (const query of tab.queries) putQuery(query);
  put(tab.requests.length);
  for (const request of tab.requests) putRequest(tab, request);
}

function putChannel(tab: Tab, c: ChannelRecord | undefined): void {
  if (!c) {
    put(-3);
    return;
  }
  put(flags(c.live, c.lost), c.base, c.known, c.reach);
  putPosition(c.cursor);
  putPosition(c.hint);
  for (const { message, offset } of c.log) {
    if (message) put((message as WriteMessage).write, offset);
  }
  for (const { handle } of tab.requests) {
    const then = c.log.findLast(({ tick }) => tick <= handle.tick);
    putPosition(then?.floor ?? null);
    putPosition(then?.hint ?? null);
    put(flags(handle.tick < c.validFrom));
  }
}

function putQuery(query: QueryModel): void {
  const { entry } = query;
  put(
    flags(query.active, query.marked, query.forced, query.undecided, query.layered),
    query.data ?? -1,
    query.answers % 8,
  );
  put(query.current ? query.tab.requests.indexOf(query.current) : -1);
  if (query.body) putBody(query.body);
  for (const [c, { stamp, heard }] of query.proofs) {
    put(c);
    putPosition(stamp);
    putHeard(heard);
  }
  put(flags(entry.forced > 0, entry.written, entry.hung, entry.undecided, entry.polled), PHASES.indexOf(entry.phase));
  put(Math.min(entry.failures, 7), Math.min(entry.chain, 4), entry.bonds.size);
  for (const [c, bond] of entry.bonds) putBond(c, bond);
}

function putBond(c: ChannelRecord, { floor, hintFloor, stamp, hit }: Bond): void {
  put(Number(c.name.slice(1)), hit);
  putPosition(floor);
  putPosition(hintFloor);
  putPosition(stamp);
}

function putRequest(tab: Tab, request: FetchModel): void {
  const { query, handle } = request;
  const { entry } = handle;
  put(query.removed ? -1 : tab.queries.indexOf(query), FETCH_STAGES.indexOf(request.stage));
  put(flags(request.ours, request.forced, request.abandoned, request.hung, entry.fetch === handle));
  put(flags(entry.forced > handle.tick, entry.news > handle.tick));
  if (request.body) putBody(request.body);
  for (const heard of request.heard) putHeard(heard);
}

function putBody(body: { data: number; stamps: readonly (readonly [number, Position | null])[] }): void {
  put(body.data);
  for (const [c, stamp] of body.stamps) {
    put(c);
    putPosition(stamp);
  }
}

function putHeard(heard: Readonly<Record<string, number>>): void {
  for (const epoch in heard) put(epochNumber(epoch), heard[epoch]!);
  put(-4);
}

function putPosition(position: Position | null): void {
  if (position) put(epochNumber(position.epoch), position.offset);
  else put(-1);
}

function flags(a: boolean, b = false, c = false, d = false, e = false): number {
  return (a ? 1 : 0) + (b ? 2 : 0) + (c ? 4 : 0) + (d ? 8 : 0) + (e ? 16 : 0);
}

const words = new Int32Array(4096);
let length = 0;

function put(a: number, b?: number, c?: number, d?: number, e?: number): void {
  words[length++] = a;
  if (b !== undefined) words[length++] = b;
  if (c !== undefined) words[length++] = c;
  if (d !== undefined) words[length++] = d;
  if (e !== undefined) words[length++] = e;
}

/** Two rounds of a multiplicative hash with different constants. */
function hash(): readonly [number, number] {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let at = 0; at < length; at++) {
    const word = words[at]!;
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0x2c1b3c6d);
    b ^= b >>> 13;
  }
  return [a | 0, Math.imul(b ^ (b >>> 16), 0x297a2d39) | 0];
}
