import type { Position } from '../src/core/position.ts';
import { Broker } from './broker.ts';
import { checkTab } from './invariants.ts';
import type { Violation } from './oracle.ts';
import { takeMutationStep } from './own-mutation.ts';
import { FAULTS, type Fault, reads, type Scenario } from './scenario.ts';
import { isProgress, type Step, type StepKind } from './step.ts';
import type { Subject } from './subject.ts';
import { type Body, type Delivery, type FetchModel, type QueryModel, Tab, type WriteMessage } from './tab.ts';

/** Progress that is a reason to fetch. */
const PROMPTS: ReadonlySet<StepKind> = new Set<StepKind>(['commit', 'publish', 'mutationAnswer', 'connect']);

const NO_FAULTS = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;

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
  concerns(query: QueryModel, write: number): boolean {
    return query.channels.includes(this.scenario.writes[write]!.channel) && this.reads(query, write);
  }

  get violation(): Violation | null {
    for (const tab of this.tabs) if (tab.violation) return tab.violation;
    return null;
  }

  /** Takes a step and checks what must hold at every moment. */
  take({ do: kind, tab: t, item }: Step): void {
    if (kind in this.budget) this.budget[kind as Fault]--;
    const tab = this.tabs[t]!;
    if (!isProgress({ do: kind }) || PROMPTS.has(kind)) for (const each of this.tabs) each.unprompted = 0;
    if (kind === 'commit') {
      this.database |= 1 << item;
      this.writes[item]!.stage = 'committed';
    } else if (kind === 'publish') this.#publish(item, t);
    else if (kind === 'publishLost') this.writes[item]!.stage = 'unannounced';
    else if (kind === 'restart') this.#restart(t);
    else this.#tabStep(kind, tab, item);
    for (const each of this.tabs) {
      each.endTurn();
      checkTab(this, each);
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
      if (tab.subs[channel]!.asked && this.socketBroker === broker && !tab.socket.some(isRefusalOf(channel)))
        tab.socket.push({ kind: 'publication', channel, offset, write: w });
  }

  /** The broker that sockets talk to. */
  get socketBroker(): Broker {
    return this.brokers.at(-1)!;
  }

  #restart(b: number): void {
    const broker = this.brokers[b]!;
    broker.restart();
    if (broker === this.socketBroker) for (const tab of this.tabs) this.#drop(tab);
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
        takeMutationStep(this, kind, tab, item);
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
    const reply = this.socketBroker.recover(channel, since);
    let accounted = reply.position.offset;
    if (first && this.scenario.since) {
      // The lowest stamp of the queries is what to ask for; if the history reaches back to it, nothing was missed.
      const { epoch } = this.socketBroker.top(channel);
      const stamps = tab.queries.map((query) => query.proofs.get(channel)?.stamp);
      const known = stamps.flatMap((stamp) => stamp ?? []);
      const lowest = { epoch, offset: Math.min(...known.map(({ offset }) => offset)) };
      // Of stamps in two epochs the client cannot tell which is the newer one.
      if (
        known.length &&
        known.every((stamp) => stamp.epoch === epoch) &&
        this.socketBroker.recover(channel, lowest).recovered
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
      checkTab(this, tab);
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
}

const isRefusalOf = (channel: number) => (delivery: Delivery) =>
  delivery.kind === 'refusal' && delivery.channel === channel;

function cancelled(query: QueryModel) {
  const { handle } = query.current!;
  query.current = null;
  return handle;
}

function remove<T>(list: T[], matches: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) if (matches(list[at]!)) list.splice(at, 1);
}
