import type { Query, QueryClient } from '@tanstack/query-core';
import type { Publication, RealtimeClient, Unsubscribe } from '../client/types.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { BindingEvent, RealtimeObserver } from '../core/events.ts';
import type { AnswerPart } from '../core/freshness-records.ts';
import { matchesQuery } from '../core/matches-query.ts';
import type { Message, QueryKey } from '../core/message.ts';
import { enterSource } from '../core/sources.ts';
import { parseMeta } from '../trpc/parse-meta.ts';
import { procedureOf } from '../trpc/query-key.ts';
import type { Answer, Answers, Call, CallEvent, CallListener } from './answers.ts';
import type { BindingOptions } from './binding-options.ts';
import { BindingReporter } from './binding-reporter.ts';
import { type BindingSource, toBindingSource } from './binding-source.ts';
import { BoundQueries } from './bound-queries.ts';
import { answersTo, type BoundQuery, isCallOf, noteFreshness } from './bound-query.ts';
import { ChannelJoins } from './channel-joins.ts';
import type { Entry } from './entry.ts';
import { browserNetwork, documentFocus, followPage } from './page.ts';
import { piecesOf } from './pieces.ts';
import {
  findQuery,
  followMutations,
  followQueries,
  hasKeptPages,
  hasPendingMutation,
  needsNetwork,
  portOf,
} from './query-cache.ts';
import { type QueryFreshness, UNBOUND } from './query-freshness.ts';
import { Refetcher } from './refetcher.ts';
import { spreadOf } from './spread-of.ts';

export type EarlyEvent =
  | CallEvent
  | { readonly type: 'message'; readonly message: Message; readonly publication: Publication };

/** What a binding is made of. */
interface BindingParts {
  readonly client: QueryClient;
  readonly manager: RealtimeClient;
  readonly options: BindingOptions;
  readonly answers: Answers;
  /** Of this client in `answers`; by it the answers' ticks are found. */
  readonly listener: CallListener;
  /** What happened before this was loaded. */
  readonly early: readonly EarlyEvent[];
  /** The status of some query may have changed. */
  readonly changed: () => void;
  /** Is given what must be called at the end, also where the client is collected: nothing in it may hold on to the binding. */
  readonly ends: (() => void)[];
  readonly observers: Set<RealtimeObserver<BindingEvent>>;
}

/**
 * Keeps the queries of one client fresh: joins the channels that their answers named, and has refetched what went stale. Follows the cache by its events and
 * never looks anything up in it; a publication costs as much as there are queries bound to its channel.
 */
export class Binding {
  readonly #client: QueryClient;
  readonly #manager: RealtimeClient;
  readonly #answers: Answers;
  readonly #listener: CallListener;
  readonly #clock: Clock;
  readonly #refetcher: Refetcher;
  readonly #reporter: BindingReporter;
  /** Held here, and only here. */
  readonly #source: BindingSource;
  readonly #joins: ChannelJoins;
  readonly #queries = new BoundQueries();
  readonly #unfollow: readonly Unsubscribe[];
  #mutations = 0;
  #hasWarned = false;

  constructor({ client, manager, options, answers, listener, early, changed, ends, observers }: BindingParts) {
    const { clock = systemClock, random = Math.random, leaveGraceMs = 30_000 } = options;
    const { focusManager = documentFocus, onlineManager = browserNetwork } = options;
    const mutations = client.getMutationCache();
    this.#client = client;
    this.#manager = manager;
    this.#answers = answers;
    this.#listener = listener;
    this.#clock = clock;
    this.#refetcher = new Refetcher(
      {
        clock,
        random,
        soon: (fn) => queueMicrotask(fn),
        isAway: (entry) => {
          const query = this.#queries.ofEntry(entry)?.query;
          return !focusManager.isFocused() || (!onlineManager.isOnline() && (!query || needsNetwork(query)));
        },
        isMutating: () => this.#mutations > 0 || hasPendingMutation(mutations, false),
        hasMutations: () => this.#mutations > 0 || hasPendingMutation(mutations, true),
        news: (entry) => this.#reporter.news(entry),
        changed: (entries) => {
          this.#reporter.judged(entries);
          for (const entry of entries) {
            this.#hold(entry);
            this.#warn(entry);
          }
          changed();
        },
      },
      options,
    );
    this.#reporter = new BindingReporter(
      this.#refetcher.freshness,
      observers,
      (entry) => this.#queries.ofEntry(entry)?.query,
      () => clock.now(),
    );
    this.#joins = new ChannelJoins(manager, this.#reporter, clock, leaveGraceMs);

    let earlier: readonly Call[] = answers.calls;
    this.#unfollow = [
      followQueries(client, {
        added: (query) => this.#added(query, earlier),
        removed: (query) => this.#on(query, (bound) => this.#removed(bound)),
        used: (query) => this.#on(query, (bound) => this.#used(bound)),
        fetching: (query) =>
          this.#on(query, (bound) => {
            if (bound.fetch) this.#reporter.ended(bound.fetch, 'cancelled');
            bound.fetch = this.#refetcher.started(bound.entry);
            bound.calls = [];
            this.#reporter.started(bound.fetch, query);
            changed(); // nothing is due any more
          }),
        succeeded: (query, raw) => this.#on(query, (bound) => this.#succeeded(bound, raw)),
        failed: (query) => this.#on(query, (bound) => this.#failed(bound, 'failed')),
        written: (query) =>
          this.#on(query, (bound) => {
            this.#adopt(bound, []);
            this.#refetcher.written(bound.entry);
          }),
        replaced: (query) =>
          this.#on(query, (bound) => {
            if (query.state.fetchStatus === 'idle') this.#failed(bound, 'cancelled');
            // Reset: no data, so nothing that it could be as new as.
            if (query.state.data === undefined) this.#refetcher.hydrated(bound.entry, this.#bind(bound, undefined, []));
            this.#adopt(bound, []);
          }),
      }),
      followMutations(mutations, (failed) => this.#mutationEnded(failed)),
    ];
    this.#source = toBindingSource(client, this.#queries, observers, (bound) => this.#freshnessOf(bound));
    ends.push(enterSource(this.#source));
    followPage(this.#refetcher, this.#joins.subscriptions, focusManager, onlineManager, ends);
    earlier = []; // what is added from now on was not there for them
    for (const event of early) this.on(event);
  }

  tick(): number {
    return this.#refetcher.freshness.depart();
  }

  on(event: EarlyEvent): void {
    if (event.type === 'called') this.#called(event.call);
    else if (event.type === 'message') this.#message(event.message, event.publication);
    else if (event.type === 'mutating') {
      this.#mutations++;
      this.#reporter.mutating(event.mutation);
    } else if (event.type === 'mutated')
      this.#reporter.acknowledged(event.mutation, parseMeta(event.wire)?.touched ?? []);
    else if (event.type === 'settled') {
      this.#reporter.mutationEnded(event.mutation, event.failed);
      // A moment later: then whoever awaited the mutation has seen the answer, and perhaps taken an optimistic write back.
      this.#clock.after(0, () => {
        this.#mutations = Math.max(0, this.#mutations - 1);
        this.#mutationEnded(event.failed);
      });
    }
  }

  status(queryKey: QueryKey): QueryFreshness {
    const query = findQuery(this.#client, queryKey);
    const bound = query && this.#queries.get(query);
    return bound ? this.#freshnessOf(bound) : UNBOUND;
  }

  #freshnessOf(bound: BoundQuery): QueryFreshness {
    return noteFreshness(bound, this.#refetcher.status(bound.entry), this.#clock.now());
  }

  /** The rest of the end is in `ends`. */
  dispose(): void {
    for (const end of this.#unfollow) end();
    this.#refetcher.dispose();
    this.#joins.dispose();
    this.#queries.clear();
  }

  // ── the cache ──────────────────────────────────────────────────────────────

  #on(query: Query, handle: (bound: BoundQuery) => void): void {
    const bound = this.#queries.get(query);
    if (bound) handle(bound);
  }

  #added(query: Query, earlier: readonly Call[]): void {
    const procedure = procedureOf(query.queryKey);
    const bound: BoundQuery = {
      query,
      entry: this.#refetcher.add(query.queryKey, portOf(query)),
      procedure,
      fetch: null,
      calls: [],
      data: undefined,
      answers: [],
      isActive: false,
      held: new Set(),
      freshness: UNBOUND,
    };
    this.#queries.add(bound);
    const calls = earlier.filter((call) => isCallOf(bound, call));
    this.#used(bound);
    this.#adopt(bound, calls);
    if (query.state.fetchStatus !== 'idle') {
      bound.fetch = this.#refetcher.started(bound.entry);
      bound.calls = calls;
      this.#reporter.started(bound.fetch, query);
    }
  }

  #removed(bound: BoundQuery): void {
    const { entry, fetch, held } = bound;
    this.#refetcher.remove(entry);
    if (fetch) this.#reporter.ended(fetch, 'cancelled');
    this.#reporter.removed(entry);
    for (const name of held) this.#joins.release(name);
    this.#queries.delete(bound);
  }

  #used(bound: BoundQuery): void {
    const isActive = bound.entry.port.isActive();
    if (isActive === bound.isActive) return;
    bound.isActive = isActive;
    this.#refetcher.usageChanged(bound.entry);
  }

  #failed(bound: BoundQuery, how: 'failed' | 'cancelled'): void {
    if (bound.fetch) {
      this.#refetcher.settled(bound.fetch, null);
      this.#reporter.ended(bound.fetch, how);
    }
    bound.fetch = null;
  }

  #succeeded(bound: BoundQuery, raw: Promise<unknown> | undefined): void {
    const { query, fetch, calls } = bound;
    const { data } = query.state;
    bound.fetch = null;
    void (raw ?? Promise.resolve(data)).then((value) => {
      // A fetch that began meanwhile will bring its own; what is known about the old data is older than this, so it is safe.
      if (!this.#queries.get(query) || !fetch || bound.entry.fetch !== fetch) return;
      const kept = hasKeptPages(query) ? bound.answers : [];
      const answers = this.#answers.of(value) ?? [...answersTo(calls), ...kept];
      this.#share(value, data);
      this.#refetcher.settled(fetch, this.#bind(bound, data, answers));
      this.#reporter.ended(fetch, 'succeeded', data);
      this.#used(bound);
    });
  }

  /** Takes data that no fetch of the query brought, if it is known: hydrated, an answer that the app wrote, or older than this binding. */
  #adopt(bound: BoundQuery, calls: readonly Call[]): void {
    const { data } = bound.query.state;
    if (data === undefined || data === bound.data) return;
    const answers = this.#answers.of(data) ?? answersTo(calls);
    if (!answers.length) return;
    this.#refetcher.hydrated(bound.entry, this.#bind(bound, data, answers));
    // Rendered by a server, and shown before its channels are joined: that counts as coming into use now.
    if (bound.isActive && answers.some(({ sentAt }) => !sentAt)) this.#refetcher.usageChanged(bound.entry);
  }

  /** Structural sharing keeps older references for equal data; they are as new as the answer now. */
  #share(raw: unknown, data: unknown): void {
    const isWhole = this.#answers.get(raw);
    const shared = isWhole ? [data] : piecesOf(data);
    for (const [at, piece] of (isWhole ? [raw] : piecesOf(raw)).entries()) {
      const answer = this.#answers.get(piece);
      if (!answer) return;
      if (piece !== shared[at]) this.#answers.set(shared[at], answer);
    }
  }

  /** Takes note of the answers that the data of a query is made of; returns them as the model of freshness wants them. */
  #bind(bound: BoundQuery, data: unknown, answers: readonly Answer[]): readonly AnswerPart[] {
    bound.data = data;
    bound.answers = answers;
    const parts: AnswerPart[] = [];
    for (const { wire, sentAt } of answers) {
      const meta = parseMeta(wire);
      if (!meta) return []; // of data with a part that says nothing, nothing can be said
      for (const { channel, grant } of meta.channels)
        if (grant !== null) this.#manager.addGrant({ channel, token: grant });
      if (meta.channels.length) this.#refetcher.freshness.lostHistorySpreadMs = meta.lostHistorySpreadMs ?? 0;
      const channels = meta.channels.map(({ channel, stamp }) => [channel, stamp] as const);
      parts.push({ tick: sentAt?.get(this.#listener) ?? 0, channels });
    }
    return parts;
  }

  #mutationEnded(failed: boolean): void {
    this.#reporter.rolledBack(() => this.#refetcher.mutationEnded(failed));
  }

  // ── calls ──────────────────────────────────────────────────────────────────

  #called(call: Call): void {
    for (const bound of this.#queries.ofPath(call.path))
      if (bound.fetch && isCallOf(bound, call)) bound.calls.push(call);
  }

  // ── channels ───────────────────────────────────────────────────────────────

  /** Keeps the channels of an active query joined. */
  #hold(entry: Entry): void {
    const bound = this.#queries.ofEntry(entry);
    if (!bound) return;
    const { held } = bound;
    const wanted = new Set<string>();
    if (bound.isActive) for (const { name } of entry.bonds.keys()) wanted.add(name);
    bound.held = wanted;
    for (const name of wanted) if (!held.has(name)) this.#joins.hold(name);
    for (const name of held) if (!wanted.has(name)) this.#joins.release(name);
  }

  /** Only once it has lasted: a broker that restarts looks the same for a moment. */
  #warn(entry: Entry): void {
    if (this.#hasWarned || !entry.polled || this.#refetcher.status(entry) !== 'suspect') return;
    this.#hasWarned = true;
    console.warn(
      '[@op/realtime] Answers carry positions of another broker than the sockets are connected to. Queries are polled. Do CENTRIFUGO_API_URL and wsUrl belong together?',
    );
  }

  /** A message on any channel, also one that the app subscribed to by hand: queries that it names need not be bound to the channel. */
  #message(message: Message, publication: Publication): void {
    if (message.type !== 'query-invalidation') return;
    const joined = this.#refetcher.freshness.channels.get(publication.channel);
    const named: Entry[] = [];
    for (const { entry } of this.#queries.candidates(message.queryKey))
      if (matchesQuery(message, entry.key) && !(joined?.live && entry.bonds.has(joined))) named.push(entry);
    this.#reporter.named(named, message, publication, spreadOf(message));
  }
}
