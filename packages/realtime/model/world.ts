import type { Position } from '../src/core/position.ts';
import type { Phase } from '../src/query/entry.ts';
import { Broker, epochNumber } from './broker.ts';
import type { Violation } from './oracle.ts';
import { FAULTS, type Fault, reads, type Scenario } from './scenario.ts';
import type { Subject } from './subject.ts';
import { type Body, DELAY, type Delivery, type FetchModel, type QueryModel, Tab, type WriteMessage } from './tab.ts';

/** One step of the world: what happens, in which tab (or broker), to which item. */
export interface Step {
  readonly do: StepKind;
  readonly tab: number;
  readonly item: number;
}

/** Steps that the world takes by itself, sooner or later. The world is quiet when none is left. */
const PROGRESS = [
  'commit',
  'publish',
  'connect',
  'subscribe',
  'positionCheck',
  'deliver',
  'readStamp',
  'read',
  'answer',
  'fire',
  'mutationAnswer',
] as const;
/** Steps that need nothing to be repaired first, but may happen only as often as the scenario says; some are named like their fault. */
const OUTSIDE = ['mutate', 'show'] as const;
export type StepKind = (typeof PROGRESS)[number] | (typeof OUTSIDE)[number] | Fault;
const KINDS: readonly StepKind[] = [...PROGRESS, ...OUTSIDE, ...FAULTS];
const PROGRESS_KINDS: ReadonlySet<StepKind> = new Set(PROGRESS);

const NO_FAULTS = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;

/** A step as a number, and back. */
export function encodeStep(step: Step): number {
  return KINDS.indexOf(step.do) * 1024 + step.tab * 128 + step.item;
}
export function decodeStep(code: number): Step {
  return { do: KINDS[code >> 10]!, tab: (code >> 7) & 7, item: code & 127 };
}

interface WriteModel {
  stage: 'new' | 'committed' | 'announced' | 'unannounced';
  broker: number;
  position: Position | null;
  readonly message: WriteMessage;
  /** Of an own mutation. */
  mutation: 'none' | 'running' | 'ended';
  /** Data of hand-written entries from before. */
  snapshots: (readonly [QueryModel, number])[];
}

/** Database, broker, sockets and tabs. Every step is deterministic, so a state is the list of steps that leads to it. */
export class World {
  readonly scenario: Scenario;
  readonly tabs: Tab[];
  readonly brokers: Broker[] = [];
  readonly writes: WriteModel[];
  readonly budget: Record<Fault, number>;
  /** Committed writes, as bits. */
  database = 0;
  readonly #subject: Subject;

  constructor(subject: Subject, scenario: Scenario) {
    this.#subject = subject;
    this.scenario = scenario;
    this.budget = { ...NO_FAULTS, ...scenario.faults };
    for (let b = 0; b < (scenario.split ? 2 : 1); b++)
      this.brokers.push(new Broker(b, scenario.channels, scenario.history));
    this.writes = scenario.writes.map((spec, write) => ({
      stage: 'new',
      broker: 0,
      position: null,
      message:
        spec.message === 'event'
          ? { type: 'event', name: 'e', data: null, write }
          : spec.message === 'channel'
            ? { type: 'channel-invalidation', write }
            : { type: 'query-invalidation', queryKey: [spec.kind], write },
      mutation: 'none',
      snapshots: [],
    }));
    this.tabs = scenario.tabs.map(
      (queries) => new Tab(subject, queries, scenario.channels, (query, write) => this.reads(query, write)),
    );
    for (const tab of this.tabs) tab.unhealthy = scenario.backsOff === true;
  }

  reads(query: QueryModel, write: number): boolean {
    return reads(query.spec, this.scenario.writes[write]!, this.scenario.channels);
  }

  /** Whether the query is bound to where the write is announced. */
  #concerns(query: QueryModel, write: number): boolean {
    return query.channels.includes(this.scenario.writes[write]!.channel) && this.reads(query, write);
  }

  get violation(): Violation | null {
    for (const tab of this.tabs) if (tab.violation) return tab.violation;
    return null;
  }

  /** What can happen next. */
  steps(): Step[] {
    const steps: Step[] = [];
    const add = (kind: StepKind, tab = 0, item = 0) => steps.push({ do: kind, tab, item });
    const may = (fault: Fault, tab = 0, item = 0) => this.budget[fault] > 0 && add(fault, tab, item);
    for (const [w, write] of this.writes.entries()) {
      const spec = this.scenario.writes[w]!;
      const own = spec.tab ?? -1;
      if (write.stage === 'new') {
        if (own < 0) add('commit', 0, w);
        else if (write.mutation === 'none') add('mutate', own, w);
        else if (write.mutation === 'running') {
          add('commit', own, w);
          may('mutationFails', own, w);
        }
      } else if (write.stage === 'committed') {
        for (let b = 0; b < (this.scenario.split === 'alternating' ? 2 : 1); b++) add('publish', b, w);
        may('publishLost', 0, w);
      } else if (write.mutation === 'running') {
        add('mutationAnswer', own, w);
        may('positionLost', own, w);
      }
      if (write.mutation === 'running' && write.stage !== 'new') may('mutationAnswerLost', own, w);
    }
    for (let b = 0; b < this.brokers.length; b++) may('restart', b);
    for (const [t, tab] of this.tabs.entries()) this.#tabSteps(tab, t, add, may);
    return steps;
  }

  #tabSteps(
    tab: Tab,
    t: number,
    add: (kind: StepKind, tab: number, item?: number) => void,
    may: (fault: Fault, tab: number, item?: number) => void,
  ): void {
    if (tab.connected) {
      may('drop', t);
      for (const [c, sub] of tab.subs.entries()) {
        if (sub.asked) {
          if (sub.live && !tab.queries.some((q) => q.active && q.channels.includes(c))) may('leave', t, c);
          if (this.#isBehind(tab, c)) add('positionCheck', t, c);
        } else if (!sub.refused && tab.refetcher.freshness.channels.get(`c${c}`)?.queries.size) {
          if (tab.queries.some((q) => q.active && q.channels.includes(c)) || !this.scenario.faults?.leave) {
            add('subscribe', t, c);
            may('refuse', t, c);
          }
        }
      }
      const head = tab.socket[0];
      if (head) {
        add('deliver', t);
        if (head.kind === 'publication') {
          may('deliveryLost', t);
          may('deliveryDoubled', t);
        }
      }
    } else {
      add('connect', t);
      may('forget', t);
    }
    for (const [i, request] of tab.requests.entries()) {
      if (request.hung) continue;
      if (request.stage === 'read') {
        add('answer', t, i);
        if (!request.abandoned) {
          may('fetchFails', t, i);
          if (request.query.body) may('cached', t, i);
        }
      } else {
        const last = this.scenario.split === 'alternating' ? 2 : 1;
        for (let b = 0; b < last; b++)
          add(this.scenario.slowRead && request.stage === 'sent' ? 'readStamp' : 'read', t, i + b * 64);
        if (request.stage === 'sent') may('stampTimeout', t, i);
        if (!request.abandoned) may('fetchHangs', t, i);
      }
    }
    for (const [i, timer] of tab.timers.entries()) {
      if (timer.delayMs === DELAY.grace) may('grace', t, i);
      else if (
        timer.delayMs === DELAY.watchdog ? timer.owner?.hung : timer.delayMs < DELAY.grace || timer.delayMs >= 1000
      )
        add('fire', t, i);
    }
    for (const [q, query] of tab.queries.entries()) {
      if (query.removed) continue;
      if (query.active) may('unmount', t, q);
      else may('mount', t, q);
      if (query.current && !query.current.hung && query.data !== null) may('fetchCancelled', t, q);
      if (query.active && !query.current) may('appFetch', t, q);
      may('remove', t, q);
    }
    if (tab.hidden) add('show', t);
    else may('hide', t);
  }

  /** Takes a step and checks what must hold at every moment. */
  take({ do: kind, tab: t, item }: Step): void {
    if (kind in this.budget) this.budget[kind as Fault]--;
    const tab = this.tabs[t]!;
    if (
      !PROGRESS_KINDS.has(kind) ||
      kind === 'commit' ||
      kind === 'publish' ||
      kind === 'mutationAnswer' ||
      kind === 'connect'
    )
      for (const each of this.tabs) each.unprompted = 0;
    if (kind === 'commit') {
      this.database |= 1 << item;
      this.writes[item]!.stage = 'committed';
    } else if (kind === 'publish') this.#publish(item, t);
    else if (kind === 'publishLost') this.writes[item]!.stage = 'unannounced';
    else if (kind === 'restart') this.#restart(t);
    else this.#tabStep(kind, tab, item);
    for (const each of this.tabs) {
      each.endTurn();
      this.#checkStatus(each);
    }
  }

  #publish(w: number, b: number): void {
    const write = this.writes[w]!;
    const { channel } = this.scenario.writes[w]!;
    const broker = this.brokers[b]!;
    const offset = broker.append(channel, w);
    write.stage = 'announced';
    write.broker = b;
    write.position = broker.top(channel);
    for (const tab of this.tabs)
      if (tab.subs[channel]!.asked && this.#socketBroker === broker && !tab.socket.some(isRefusalOf(channel)))
        tab.socket.push({ kind: 'publication', channel, offset, write: w });
  }

  get #socketBroker(): Broker {
    return this.brokers.at(-1)!;
  }

  #restart(b: number): void {
    const broker = this.brokers[b]!;
    broker.restart();
    if (broker === this.#socketBroker) for (const tab of this.tabs) this.#drop(tab);
  }

  #drop(tab: Tab): void {
    tab.connected = false;
    tab.socket.length = 0;
    for (const [c, sub] of tab.subs.entries()) {
      if (!sub.asked) continue;
      sub.asked = false;
      sub.live = false;
      tab.refetcher.freshness.uncovered(`c${c}`);
    }
  }

  /** The broker compares what it sent with the top of the stream, now and then. */
  #isBehind(tab: Tab, channel: number): boolean {
    const { live, position } = tab.subs[channel]!;
    const top = this.#socketBroker.top(channel);
    return live && position!.offset < top.offset && !tab.socket.some((delivery) => delivery.channel === channel);
  }

  #tabStep(kind: StepKind, tab: Tab, item: number): void {
    const { refetcher } = tab;
    const query = tab.queries[item]!;
    const request = tab.requests[item & 63]!;
    switch (kind) {
      case 'connect':
        tab.connected = true;
        break;
      case 'subscribe':
        this.#subscribe(tab, item);
        break;
      case 'refuse':
        tab.subs[item]!.asked = true;
        tab.socket.push({ kind: 'refusal', channel: item });
        break;
      case 'drop':
        this.#drop(tab);
        break;
      case 'forget':
        // The SDK does not ask for recovery: it made new subscriptions.
        for (const sub of tab.subs) sub.position = null;
        break;
      case 'positionCheck':
        tab.subs[item]!.asked = false;
        tab.subs[item]!.live = false;
        refetcher.freshness.uncovered(`c${item}`);
        break;
      case 'leave': {
        const sub = tab.subs[item]!;
        sub.asked = false;
        sub.live = false;
        sub.position = null;
        remove(tab.socket, (delivery) => delivery.channel === item);
        tab.forget(item);
        refetcher.freshness.unsubscribed(`c${item}`);
        break;
      }
      case 'deliver':
        this.#deliver(tab, tab.socket.shift()!);
        break;
      case 'deliveryLost':
        tab.socket.shift();
        break;
      case 'deliveryDoubled':
        this.#deliver(tab, tab.socket[0]!);
        break;
      case 'readStamp':
      case 'read':
      case 'stampTimeout':
        this.#read(request, this.brokers[item >> 6]!, kind);
        break;
      case 'answer':
        this.#answer(tab, request, request.body!, false);
        break;
      case 'cached':
        tab.unhealthy = true;
        this.#answer(tab, request, request.query.body!, true);
        break;
      case 'fetchFails':
        tab.unhealthy = true;
        tab.requests.splice(item, 1);
        request.query.current = null;
        refetcher.settled(request.handle, null);
        break;
      case 'fetchHangs':
        tab.unhealthy = true;
        request.hung = true;
        break;
      case 'fetchCancelled':
        tab.unhealthy = true;
        query.current!.abandoned = true;
        refetcher.settled(cancelled(query), null);
        break;
      case 'fire':
      case 'grace': {
        const [timer] = tab.timers.splice(item, 1);
        tab.firing = timer!;
        timer!.fn();
        tab.endTurn();
        tab.firing = null;
        break;
      }
      case 'appFetch':
        query.begin(false);
        break;
      case 'unmount':
        query.active = false;
        refetcher.usageChanged(query.entry);
        break;
      case 'mount':
        this.#mount(tab, query);
        break;
      case 'remove': {
        refetcher.remove(query.entry);
        tab.forgetUnused();
        query.removed = true;
        query.current = null;
        for (const r of tab.requests) if (r.query === query) r.abandoned = true;
        const next = tab.create(query.spec);
        tab.queries[item] = next;
        if (next.active) next.begin(false);
        break;
      }
      case 'hide':
        tab.hidden = true;
        break;
      case 'show':
        tab.hidden = false;
        refetcher.returned();
        break;
      default:
        this.#mutationStep(kind, tab, item);
    }
  }

  #mount(tab: Tab, query: QueryModel): void {
    const gone = query.isLost();
    if (gone && query.data !== null && !query.marked && !query.current)
      tab.fail('I6', 'an entry that nothing covered any more is mounted unmarked');
    query.active = true;
    query.undecided = query.mayComeBack();
    if ((query.data === null || query.marked) && !query.current) query.begin(false);
    tab.refetcher.usageChanged(query.entry);
  }

  #subscribe(tab: Tab, channel: number): void {
    const sub = tab.subs[channel]!;
    const name = `c${channel}`;
    const first = !sub.position;
    const since = sub.position ?? (this.scenario.since ? tab.refetcher.freshness.since(name) : null);
    sub.asked = true;
    const reply = this.#socketBroker.recover(channel, since);
    let accounted = reply.position.offset;
    if (first && this.scenario.since) {
      // The lowest stamp of the queries is what to ask for; if the history reaches back to it, nothing was missed.
      const { epoch } = this.#socketBroker.top(channel);
      const stamps = tab.queries.map((query) => query.proofs.get(channel)?.stamp);
      const known = stamps.flatMap((stamp) => stamp ?? []);
      const lowest = { epoch, offset: Math.min(...known.map(({ offset }) => offset)) };
      // Of stamps in two epochs the client cannot tell which is the newer one.
      if (
        known.length &&
        known.every((stamp) => stamp.epoch === epoch) &&
        this.#socketBroker.recover(channel, lowest).recovered
      )
        accounted = lowest.offset;
    }
    tab.socket.push({ kind: 'join', channel, ...reply, accounted });
  }

  #deliver(tab: Tab, delivery: Delivery): void {
    const sub = tab.subs[delivery.channel]!;
    const name = `c${delivery.channel}`;
    const oracle = tab.oracles[delivery.channel]!;
    const { freshness } = tab.refetcher;
    if (delivery.kind === 'publication') {
      tab.unprompted = 0;
      sub.position = { epoch: sub.position!.epoch, offset: delivery.offset };
      this.#hear(tab, delivery.channel, delivery.offset, delivery.write);
    } else if (delivery.kind === 'join') {
      sub.live = true;
      sub.position = delivery.position;
      oracle.join(delivery.position, delivery.recovered, delivery.accounted);
      freshness.join(name, delivery.position, delivery.recovered);
      this.#checkStatus(tab);
      for (const { offset, write } of delivery.missed) {
        tab.unprompted = 0;
        sub.position = { epoch: delivery.position.epoch, offset };
        this.#hear(tab, delivery.channel, offset, write);
      }
    } else {
      sub.asked = false;
      sub.refused = true;
      tab.unhealthy = true;
      tab.forget(delivery.channel);
      freshness.unsubscribed(name);
    }
  }

  #hear(tab: Tab, channel: number, offset: number, write: number): void {
    tab.told |= 1 << write;
    tab.oracles[channel]!.publication(offset, write);
    tab.refetcher.freshness.publication(`c${channel}`, offset, this.writes[write]!.message);
  }

  #read(request: FetchModel, broker: Broker, kind: 'readStamp' | 'read' | 'stampTimeout'): void {
    const { query } = request;
    const channels = query.spec.channels(query.answers);
    const unknown = kind === 'stampTimeout' || this.scenario.noStamps;
    const stamps = request.body?.stamps ?? channels.map((c) => [c, unknown ? null : broker.top(c)] as const);
    let data = 0;
    for (let w = 0; w < this.writes.length; w++) if (this.database & (1 << w) && this.reads(query, w)) data |= 1 << w;
    request.body = { data, stamps };
    request.stage = kind === 'readStamp' ? 'stamped' : 'read';
  }

  #answer(tab: Tab, request: FetchModel, body: Body, cached: boolean): void {
    const { query, handle } = request;
    tab.requests.splice(tab.requests.indexOf(request), 1);
    if (this.scenario.alwaysCached && query.body) {
      cached = true;
      body = query.body;
    }
    const current = query.current === request;
    if (current) {
      query.current = null;
      query.answers++;
      query.data = body.data;
      query.body ??= body;
      if (!cached) query.body = body;
      query.marked = false;
      query.layered = false;
      query.undecided = false;
      if (!cached) query.forced = request.forced;
      query.channels = body.stamps.map(([c]) => c);
      query.proofs = new Map(body.stamps.map(([c, stamp]) => [c, { stamp, heard: cached ? {} : request.heard[c]! }]));
      for (const [c, stamp] of body.stamps) {
        tab.oracles[c]!.hear(stamp);
        tab.subs[c]!.refused = false;
      }
    }
    const channels = body.stamps.map(([c, stamp]) => [`c${c}`, stamp] as const);
    tab.refetcher.settled(handle, [{ tick: cached ? 0 : handle.tick, channels }]);
    const { entry } = query;
    const isFresh = !this.#subject.isStale(entry);
    if (current && isFresh && (entry.failures || entry.phase === 'backoff'))
      tab.fail('I5', 'still in back-off after a fetch that ended fresh');
    tab.forgetUnused();
  }

  #mutationStep(kind: StepKind, tab: Tab, w: number): void {
    const write = this.writes[w]!;
    const spec = this.scenario.writes[w]!;
    const { refetcher } = tab;
    const mine = tab.queries.filter((query) => this.reads(query, w));
    if (kind === 'mutate') {
      write.mutation = 'running';
      tab.mutations++;
      if (!spec.optimistic) return;
      for (const query of mine) {
        if (query.data === null) continue;
        write.snapshots.push([query, query.data]);
        this.#writeByHand(tab, query, query.data | (1 << w));
      }
      return;
    }
    write.mutation = 'ended';
    if (kind === 'mutationFails' || kind === 'mutationAnswerLost') {
      if (kind === 'mutationFails') write.stage = 'unannounced';
      for (const [query, data] of write.snapshots) if (!query.removed) this.#writeByHand(tab, query, data);
      tab.mutations--;
      for (const query of tab.queries) if (query.layered) force(query);
      refetcher.mutationEnded(true);
    } else {
      const position = kind === 'positionLost' ? null : write.position;
      const oracle = tab.oracles[spec.channel]!;
      const usable = position && position.epoch === oracle.epoch;
      tab.acknowledged |= 1 << w;
      tab.told |= 1 << w;
      if (position && refetcher.freshness.channels.has(`c${spec.channel}`)) oracle.hear(position);
      if (usable && position.offset > oracle.cursor) oracle.tell(position, w);
      if (!usable || (position.offset > oracle.cursor && !tab.subs[spec.channel]!.live))
        // A running fetch may bind the query to any channel; until it answers, all news without a position may concern it.
        for (const query of tab.queries)
          if (mine.includes(query) || (query.current && (spec.message === 'channel' || spec.kind === query.spec.kind)))
            force(query);
      refetcher.freshness.acknowledged([{ channel: `c${spec.channel}`, position, message: write.message }]);
      if (spec.invalidates) for (const query of mine) if (query.active) query.begin(false);
      tab.mutations--;
      refetcher.mutationEnded(false);
    }
    if (!tab.mutations) for (const query of tab.queries) query.layered = false;
  }

  #writeByHand(tab: Tab, query: QueryModel, data: number): void {
    query.data = data;
    query.marked = false;
    query.layered = true;
    tab.refetcher.written(query.entry);
  }

  /** I2, I5 and I7 hold at every moment. */
  #checkStatus(tab: Tab): void {
    for (const query of tab.queries) {
      const { entry } = query;
      if (!tab.unhealthy && (entry.failures > 0 || entry.chain > 2)) tab.fail('I5', 'a healthy query is in back-off');
      if (query.data !== null && query.current === null && entry.bonds.size !== query.channels.length)
        tab.fail('I7', 'bound to channels that its answer did not name');
      this.#checkGrace(tab, query);
      if (tab.refetcher.status(entry) !== 'live') continue;
      if (query.data! & ~this.database) tab.fail('I2', 'live with a write that is not committed');
      if (!tab.connected) tab.fail('I2', 'live without a connection');
      for (let w = 0; w < this.writes.length; w++) {
        if (query.data! & (1 << w) || !this.#concerns(query, w)) continue;
        if (tab.told & (1 << w)) tab.fail('I2', `live without write ${w}, which the tab was told of`);
        else if (this.#precedes(query, w)) tab.fail('I2', `live without write ${w}, which precedes the cursor`);
      }
    }
  }

  /** Nobody knows whether what was mounted in the grace is still true. Once the channel is lost a fetch must be on its way. */
  #checkGrace(tab: Tab, query: QueryModel): void {
    if (!query.undecided) return;
    if (query.channels.every((c) => tab.subs[c]!.live)) query.undecided = false;
    else if (query.isLost() && query.active && !tab.hidden && !query.current && IDLE.has(query.entry.phase))
      tab.fail('I6', 'mounted in the grace of a channel that was lost, and left as it is');
  }

  #precedes({ entry }: QueryModel, w: number): boolean {
    const { position, stage } = this.writes[w]!;
    if (!position || stage !== 'announced') return false;
    for (const { name, cursor } of entry.bonds.keys()) {
      if (name !== `c${this.scenario.writes[w]!.channel}` || !cursor) continue;
      if (cursor.epoch === position.epoch) return position.offset <= cursor.offset;
      return !this.scenario.split && epochNumber(position.epoch) < epochNumber(cursor.epoch);
    }
    return false;
  }

  /** I1, I5 and I8, which hold when nothing is left to happen. */
  checkQuiet(): void {
    for (const tab of this.tabs) {
      if (tab.hidden || !tab.connected) continue;
      for (const query of tab.queries) {
        if (!query.active || query.data === null) continue;
        const status = tab.refetcher.status(query.entry);
        const refused = query.channels.some((c) => tab.subs[c]!.refused);
        if (status !== 'live' && status !== 'suspect' && !refused) tab.fail('I1', `quiet, and ${status}`);
        for (let w = 0; w < this.writes.length; w++) {
          if (query.data & (1 << w) || !this.#concerns(query, w)) continue;
          // Where the API alternates between brokers, what only the other one announced cannot be known.
          const { stage, broker } = this.writes[w]!;
          const audible = this.scenario.split !== 'alternating' || this.brokers[broker] === this.#socketBroker;
          if (stage === 'announced' && status === 'live' && audible)
            tab.fail('I1', `quiet, without the announced write ${w}`);
          if (tab.acknowledged & (1 << w) && !this.scenario.alwaysCached)
            tab.fail('I8', `quiet, without its own write ${w}`);
        }
      }
    }
  }
}

const IDLE: ReadonlySet<Phase> = new Set<Phase>(['idle', 'polling']);

/** Whether the world would take this step by itself. */
export function isProgress(step: Step): boolean {
  return PROGRESS_KINDS.has(step.do);
}

const isRefusalOf = (channel: number) => (delivery: Delivery) =>
  delivery.kind === 'refusal' && delivery.channel === channel;

function force(query: QueryModel): void {
  if (!query.channels.length && !query.current) return;
  query.forced = true;
  if (query.current) query.current.forced = true;
}

function cancelled(query: QueryModel) {
  const { handle } = query.current!;
  query.current = null;
  return handle;
}

function remove<T>(list: T[], matches: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) if (matches(list[at]!)) list.splice(at, 1);
}
