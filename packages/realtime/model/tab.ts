import type { Message } from '../src/core/message.ts';
import type { Position } from '../src/core/position.ts';
import type { Entry, Fetch, QueryPort } from '../src/query/entry.ts';
import type { Refetcher } from '../src/query/refetcher.ts';
import type { Kept } from './broker.ts';
import { type IdealProof, Oracle, type Violation } from './oracle.ts';
import type { QuerySpec } from './scenario.ts';
import type { Subject } from './subject.ts';

/** Delays by which the model tells timers apart; the model has no time, any of them may fire next. */
export const DELAY = { window: 1, defer: 2, watchdog: 3, grace: 4, pollAfter: 5, pollEvery: 6 } as const;

export type WriteMessage = Message & { readonly write: number };

/** A cache entry as TanStack Query would keep it, with what an ideal client would know about it. */
export class QueryModel implements QueryPort {
  readonly spec: QuerySpec;
  readonly tab: Tab;
  entry!: Entry;
  active: boolean;
  /** The writes that the data contains, as bits; `null` before the first answer. */
  data: number | null = null;
  marked = false;
  current: FetchModel | null = null;
  answers = 0;
  /** The last answer, for an HTTP cache. */
  body: Body | null = null;
  channels: readonly number[] = [];
  proofs = new Map<number, IdealProof>();
  /** Something happened that only a new fetch can answer. */
  forced = false;
  /** Mounted while a channel could still come back. */
  undecided = false;
  /** Written by hand while an own mutation ran. */
  layered = false;
  removed = false;

  constructor(tab: Tab, spec: QuerySpec) {
    this.tab = tab;
    this.spec = spec;
    this.active = spec.active ?? true;
  }

  isActive(): boolean {
    return this.active;
  }

  isFetching(): boolean {
    return this.current !== null;
  }

  mark(): void {
    this.marked = true;
  }

  /** Called by the refetcher only. */
  fetch(replace: boolean): void {
    this.tab.judgeFetch(this);
    if (this.current && !(replace && this.data !== null)) return;
    this.begin(true);
  }

  begin(ours: boolean): void {
    const { tab } = this;
    if (this.current) this.current.abandoned = true;
    const heard = tab.oracles.map((oracle) => ({ ...oracle.heard }));
    const fetch: FetchModel = {
      query: this,
      handle: null as unknown as Fetch,
      stage: 'sent',
      ours,
      body: null,
      heard,
      forced: false,
      abandoned: false,
      hung: false,
    };
    this.current = fetch;
    tab.timerOwner = fetch;
    fetch.handle = tab.refetcher.started(this.entry);
    tab.timerOwner = null;
    tab.requests.push(fetch);
  }

  /** Whether a channel has been uncovered for longer than its grace, or was left. */
  isLost(): boolean {
    return this.channels.some((c) => !this.tab.subs[c]!.live && this.#isPastGrace(c));
  }

  /** Whether a channel is uncovered, but not for longer than its grace. */
  mayComeBack(): boolean {
    return this.channels.some((c) => !this.tab.subs[c]!.live && !this.#isPastGrace(c));
  }

  #isPastGrace(channel: number): boolean {
    return this.tab.refetcher.freshness.channels.get(`c${channel}`)?.lost ?? true;
  }

  /** Whether a refetch has a reason now. */
  hasReason(): boolean {
    if (this.forced) return true;
    const { tab } = this;
    for (const c of this.channels) {
      const lost = tab.refetcher.freshness.channels.get(`c${c}`)?.lost ?? true;
      if (this.undecided && lost) return true;
      if (!tab.subs[c]!.live) continue;
      const oracle = tab.oracles[c]!;
      const proof = this.proofs.get(c);
      if (!proof || !oracle.contains(proof, (write) => tab.concerns(this, write))) return true;
    }
    return false;
  }
}

/** What the server answers. */
export interface Body {
  readonly data: number;
  readonly stamps: readonly (readonly [channel: number, stamp: Position | null])[];
}

export interface FetchModel {
  readonly query: QueryModel;
  handle: Fetch;
  stage: 'sent' | 'stamped' | 'read';
  readonly ours: boolean;
  body: Body | null;
  /** All that the tab had heard of when the request left, per channel. */
  readonly heard: Readonly<Record<string, number>>[];
  forced: boolean;
  /** Cancelled or replaced; its answer may still arrive. */
  abandoned: boolean;
  hung: boolean;
}

export interface Timer {
  readonly delayMs: number;
  readonly fn: () => void;
  readonly owner: FetchModel | null;
}

export interface Sub {
  /** Asked for; the reply may be on its way. */
  asked: boolean;
  live: boolean;
  refused: boolean;
  /** Where the SDK would recover from. */
  position: Position | null;
}

export type Delivery =
  | {
      readonly kind: 'join';
      readonly channel: number;
      readonly position: Position;
      readonly recovered: boolean;
      readonly missed: Kept[];
      readonly accounted: number;
    }
  | { readonly kind: 'publication'; readonly channel: number; readonly offset: number; readonly write: number }
  | { readonly kind: 'refusal'; readonly channel: number };

/** A browser tab: the real refetcher, and around it the least that TanStack Query, the link and the socket would do. */
export class Tab {
  readonly refetcher: Refetcher;
  readonly queries: QueryModel[];
  readonly oracles: Oracle[] = [];
  readonly subs: Sub[] = [];
  readonly socket: Delivery[] = [];
  readonly requests: FetchModel[] = [];
  readonly timers: Timer[] = [];
  connected = true;
  hidden = false;
  /** Own mutations on their way. */
  mutations = 0;
  /** Own writes that were acknowledged, and all writes told of, as bits. */
  acknowledged = 0;
  told = 0;
  /** Fetches by the refetcher since anything happened outside; those out of a back-off do not count. */
  unprompted = 0;
  /** Something that may rightly lead to a back-off has happened. */
  unhealthy = false;
  firing: Timer | null = null;
  timerOwner: FetchModel | null = null;
  violation: Violation | null = null;
  readonly concerns: (query: QueryModel, write: number) => boolean;
  #soon: (() => void)[] = [];

  constructor(subject: Subject, specs: readonly QuerySpec[], channels: number, concerns: Tab['concerns']) {
    this.concerns = concerns;
    for (let c = 0; c < channels; c++) {
      this.oracles.push(new Oracle());
      this.subs.push({ asked: false, live: false, refused: false, position: null });
    }
    this.refetcher = new subject.Refetcher(
      {
        clock: { now: () => 0, after: (delayMs, fn) => this.#after(delayMs, fn) },
        random: () => 0.5,
        soon: (fn) => this.#soon.push(fn),
        isAway: () => this.hidden,
        isMutating: () => this.mutations > 0,
        hasMutations: () => this.mutations > 0,
        changed: () => {},
      },
      {
        windowMs: DELAY.window,
        deferMs: DELAY.defer,
        watchdogMs: DELAY.watchdog,
        graceMs: DELAY.grace,
        pollAfterMs: DELAY.pollAfter,
        pollEveryMs: DELAY.pollEvery,
      },
    );
    this.queries = specs.map((spec) => this.create(spec));
    for (const query of this.queries) if (query.active) query.begin(false);
    this.endTurn();
  }

  create(spec: QuerySpec): QueryModel {
    const query = new QueryModel(this, spec);
    query.entry = this.refetcher.add([spec.kind], query);
    return query;
  }

  /** The turn is over: the refetcher judges what it was told. */
  endTurn(): void {
    while (this.#soon.length) this.#soon.shift()!();
  }

  /** What the client knew of a channel goes with the last query that needed it. */
  forgetUnused(): void {
    for (const c of this.oracles.keys()) if (!this.refetcher.freshness.channels.has(`c${c}`)) this.forget(c);
  }

  /** Nobody needs the channel: also for requests on their way. */
  forget(channel: number): void {
    this.oracles[channel]!.forget();
    for (const request of this.requests) request.heard[channel] = {};
  }

  fail(invariant: Violation['invariant'], text: string): void {
    this.violation ??= { invariant, text };
  }

  #after(delayMs: number, fn: () => void): () => void {
    const timer: Timer = { delayMs, fn, owner: delayMs === DELAY.watchdog ? this.timerOwner : null };
    this.timers.push(timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }

  /** I3, I5 and I9, at the moment the refetcher fetches. */
  judgeFetch(query: QueryModel): void {
    if (this.hidden || !query.active) this.fail('I3', 'fetches for nobody to see');
    if (query.current && !query.current.hung) this.fail('I3', 'fetches beside a running fetch');
    if (!query.hasReason()) this.fail('I3', 'fetches without a reason');
    if (this.mutations && this.firing?.delayMs !== DELAY.defer)
      this.fail('I9', 'fetches while an own mutation is in flight');
    if (this.firing && this.firing.delayMs < 1000) this.unprompted++;
    if (this.unprompted > 2 * this.queries.length + 2)
      this.fail('I5', 'fetches again and again though nothing happens');
  }
}
