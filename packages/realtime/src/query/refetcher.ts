import type { Clock, Random } from '../core/clock.ts';
import { Freshness } from '../core/freshness.ts';
import type { AnswerPart, ChannelRecord } from '../core/freshness-records.ts';
import { isCovered, isLive, isStale, isSuspect } from '../core/freshness-verdict.ts';
import type { QueryKey } from '../core/message.ts';
import type { Entry, EntryStatus, Fetch, Phase, QueryPort } from './entry.ts';

/**
 * Refetches what went stale: once, never starved, never a herd (design §5). It decides; a `QueryPort` per cache entry acts.
 *
 * Feed channel events to `freshness`, and what happens to cache entries, own mutations and the page to this object. After each turn every
 * entry concerned is judged anew:
 * - stale, in use and on screen: one fetch, after a short window that the first news opens and no later news moves;
 * - a request on its way, whoever started it: waited for and judged by its proof, never cancelled (except one that hangs);
 * - not in use, or the page is hidden or offline: only marked, so that its next use fetches it;
 * - an own mutation runs: the fetch waits, for a bounded time;
 * - fetching proves futile or fails: it backs off, and news does not shorten that;
 * - no channel to rely on for long: slow polling.
 */
export class Refetcher {
  readonly freshness: Freshness<Entry>;
  readonly #entries = new Set<Entry>();
  readonly #dirty = new Set<Entry>();
  readonly #written = new Set<Entry>();
  /** Ends the grace of a channel that is not joined. */
  readonly #graces = new Map<ChannelRecord, () => void>();
  readonly #env: RefetchEnvironment;
  readonly #options: RefetchOptions;

  constructor(env: RefetchEnvironment, options?: Partial<RefetchOptions>) {
    this.#env = env;
    this.#options = { ...DEFAULTS, ...options };
    this.freshness = new Freshness((entry, spreadMs) => {
      if (spreadMs !== undefined) env.news?.(entry);
      this.#touch(entry, spreadMs);
    });
  }

  /** A cache entry exists. One record per entry *object*: an entry removed and created anew is another one. */
  add(key: QueryKey, port: QueryPort): Entry {
    const entry: Entry = {
      key,
      bonds: new Map(),
      forced: 0,
      news: 0,
      written: false,
      port,
      fetch: null,
      phase: 'idle',
      cancel: null,
      dueMs: 0,
      spreadMs: Number.POSITIVE_INFINITY,
      slot: 0,
      failures: 0,
      chain: 0,
      hung: false,
      undecided: false,
      polled: false,
    };
    this.#entries.add(entry);
    return entry;
  }

  /** The entry left the cache; an answer still on its way to it changes nothing. */
  remove(entry: Entry): void {
    this.freshness.remove(entry);
    this.#arm(entry, 'idle');
    entry.fetch?.cancelWatchdog();
    entry.fetch = null;
    this.#entries.delete(entry);
    this.#dirty.delete(entry);
    this.#written.delete(entry);
  }

  /** A fetch of the entry begins, started by anyone. Keep what it returns with the fetch and hand it to `settled`. */
  started(entry: Entry): Fetch {
    entry.fetch?.cancelWatchdog();
    const fetch: Fetch = {
      entry,
      tick: this.freshness.depart(),
      ours: entry.phase === 'running',
      cancelWatchdog: () => {},
    };
    const watch = () => {
      fetch.cancelWatchdog = this.#env.clock.after(this.#options.watchdogMs, () => {
        if (!entry.port.isFetching()) return watch(); // paused: it waits for the network, not for an answer
        entry.hung = true;
        entry.failures++;
        this.#touch(entry);
      });
    };
    watch();
    entry.fetch = fetch;
    entry.hung = false;
    this.freshness.fetching.add(entry);
    return fetch;
  }

  /**
   * The fetch ended.
   * @param parts the metadata of the answers that the new data is made of, empty if there was none; `null`: it failed or was cancelled.
   * Ignored for a fetch that another one replaced: a proof belongs to its own data.
   */
  settled(fetch: Fetch, parts: readonly AnswerPart[] | null): void {
    const { entry } = fetch;
    if (entry.fetch !== fetch) return;
    fetch.cancelWatchdog();
    entry.fetch = null;
    entry.hung = false;
    this.freshness.fetching.delete(entry);
    if (parts) {
      const bound = this.freshness.settle(entry, parts, fetch.tick);
      if (fetch.ours) entry.chain = bound ? entry.chain + 1 : 0;
      entry.undecided = false;
      this.#written.delete(entry);
    }
    if (!isStale(entry)) {
      if (parts) {
        entry.failures = 0;
        this.#arm(entry, 'idle');
      }
    } else if (!parts || entry.failures || (fetch.ours && entry.news <= fetch.tick)) {
      entry.failures++;
      this.#arm(entry, 'idle');
    }
    this.#touch(entry);
  }

  /** Data entered the entry without a fetch that `started` announced: hydration, another tab. It has stamps at most, no floor. */
  hydrated(entry: Entry, parts: readonly AnswerPart[]): void {
    this.freshness.settle(entry, parts, 0);
  }

  /** The entry was written by hand (`setQueryData`). */
  written(entry: Entry): void {
    if (this.#env.hasMutations()) {
      entry.written = true;
      this.#written.add(entry);
    }
    this.#touch(entry); // writing clears the mark of a stale entry
  }

  /** The entry got its first observer or lost its last one. */
  usageChanged(entry: Entry): void {
    // Mounted while the channel may still come back: the join decides, or the end of the grace.
    entry.undecided = entry.port.isActive() && [...entry.bonds.keys()].some((c) => !c.live && !c.lost);
    this.#touch(entry);
  }

  /**
   * An own mutation ended: after the app's callbacks ran, when it no longer counts as pending.
   * @param failed also when its answer was lost. What was written by hand meanwhile may have been replaced by an older snapshot.
   */
  mutationEnded(failed: boolean): void {
    for (const entry of this.#written) {
      if (failed) this.freshness.force(entry);
      if (!this.#env.hasMutations()) {
        entry.written = false;
        this.#written.delete(entry);
        this.#touch(entry);
      }
    }
    if (this.#env.isMutating()) return;
    for (const entry of this.#entries) if (entry.phase === 'deferred') this.#fire(entry);
  }

  /** The page was shown again, or is online again. */
  returned(): void {
    for (const entry of this.#entries) if (entry.bonds.size || entry.forced) this.#touch(entry);
  }

  /** What may be said about the entry now. Derived; `live` only when nothing is left to be judged. */
  status(entry: Entry): EntryStatus {
    if (!entry.bonds.size) return 'unbound';
    if (this.#dirty.has(entry) || isStale(entry)) return 'stale';
    if (!isCovered(entry)) return 'uncovered';
    return isSuspect(entry) ? 'suspect' : isLive(entry) ? 'live' : 'optimistic';
  }

  /** Cancels every timer. Nothing fetches afterwards. */
  dispose(): void {
    for (const cancel of this.#graces.values()) cancel();
    for (const entry of this.#entries) this.remove(entry);
  }

  /** @param spreadMs given if there is news for the entry: pending news that asks for less spreading wins */
  #touch(entry: Entry, spreadMs = Number.POSITIVE_INFINITY): void {
    entry.spreadMs = Math.min(entry.spreadMs, spreadMs);
    if (!this.#dirty.size) this.#env.soon(() => this.#flush());
    this.#dirty.add(entry);
  }

  #flush(): void {
    const entries = [...this.#dirty];
    this.#dirty.clear();
    for (const entry of entries) this.#judge(entry);
    this.#env.changed(entries);
  }

  #judge(entry: Entry): void {
    const { port } = entry;
    for (const c of entry.bonds.keys()) this.#watchGrace(c);
    if (isCovered(entry)) entry.undecided = false;
    const due = this.#isDue(entry);
    const active = port.isActive();
    if (!due) entry.spreadMs = Number.POSITIVE_INFINITY;
    if (!active || this.#env.isAway(entry)) {
      if (due || (isLost(entry) && !active)) port.mark();
    } else if (!port.isFetching() || entry.hung) {
      if (due) this.#schedule(entry);
      else if (this.#isServed(entry)) {
        entry.polled = false;
        if (entry.phase === 'polling') this.#arm(entry, 'idle');
      } else if (entry.phase === 'idle') {
        const delayMs = entry.polled ? this.#options.pollEveryMs : this.#options.pollAfterMs;
        this.#arm(entry, 'polling', delayMs * this.#jitter());
      }
    }
  }

  /** Stale, or mounted in the grace of a channel that did not come back. */
  #isDue(entry: Entry): boolean {
    return isStale(entry) || (entry.undecided && isLost(entry));
  }

  /** Whether the socket tells what happens to the entry. One without channels never asked for it. */
  #isServed(entry: Entry): boolean {
    return !entry.bonds.size || (isCovered(entry) && !isSuspect(entry));
  }

  #watchGrace(c: ChannelRecord): void {
    const running = this.#graces.get(c);
    if (c.live || c.lost) {
      running?.();
      this.#graces.delete(c);
    } else if (!running)
      this.#graces.set(
        c,
        this.#env.clock.after(this.#options.graceMs, () => {
          this.#graces.delete(c);
          this.freshness.graceOver(c.name);
        }),
      );
  }

  #schedule(entry: Entry): void {
    const { phase } = entry;
    const backOff = entry.failures + Math.max(0, entry.chain - 2);
    const pending = phase === 'window';
    if (!pending && phase !== 'idle' && phase !== 'polling') return;
    if (backOff && !pending) {
      this.#arm(entry, 'backoff', Math.min(this.#options.maxBackoffMs, 500 * 2 ** backOff) * this.#jitter());
      return;
    }
    // The first news fixes the moment. Later news may only make it earlier, by asking for less spreading; the slot is drawn once.
    if (!pending) entry.slot = this.#env.random();
    const spreadMs = Number.isFinite(entry.spreadMs) ? entry.spreadMs : 0;
    const delayMs = this.#options.windowMs + entry.slot * spreadMs;
    if (!pending || this.#env.clock.now() + delayMs < entry.dueMs) this.#arm(entry, 'window', delayMs);
  }

  #fire(entry: Entry): void {
    const { phase, port } = entry;
    this.#arm(entry, 'idle');
    // Things may have changed while it waited.
    const wanted = this.#isDue(entry) || (phase === 'polling' && !this.#isServed(entry));
    if (!wanted || !port.isActive() || this.#env.isAway(entry) || (port.isFetching() && !entry.hung))
      this.#touch(entry);
    else if (phase !== 'deferred' && this.#env.isMutating()) this.#arm(entry, 'deferred', this.#options.deferMs);
    else {
      entry.polled = phase === 'polling';
      entry.phase = 'running';
      port.fetch(entry.hung);
      if ((entry.phase as Phase) === 'running') entry.phase = 'idle';
    }
  }

  /** The one timer of an entry. */
  #arm(entry: Entry, phase: Phase, delayMs = 0): void {
    entry.cancel?.();
    entry.phase = phase;
    entry.dueMs = this.#env.clock.now() + delayMs;
    entry.cancel = phase === 'idle' ? null : this.#env.clock.after(delayMs, () => this.#fire(entry));
  }

  #jitter(): number {
    return 0.75 + this.#env.random() / 2;
  }
}

/** Whether a channel of the entry has been uncovered for longer than its grace. */
function isLost(entry: Entry): boolean {
  for (const c of entry.bonds.keys()) if (c.lost) return true;
  return false;
}

/** What the refetcher needs of the page. */
interface RefetchEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Runs `fn` when the current turn is over (`queueMicrotask`). */
  soon(fn: () => void): void;
  /** The page is hidden or offline: nobody looks, or this entry cannot be fetched. */
  isAway(entry: Entry): boolean;
  /** An own mutation is in flight, paused ones not counted. */
  isMutating(): boolean;
  /** An own mutation is in flight or paused. */
  hasMutations(): boolean;
  /** There is news for the entry. Something between the model and its source knows what. */
  news?(entry: Entry): void;
  /** After each turn: the entries whose `status` may have changed. */
  changed(entries: readonly Entry[]): void;
}

/** When refetches happen. All times in milliseconds. */
export interface RefetchOptions {
  /** From the first news to the fetch. @default 50 */
  readonly windowMs: number;
  /** How long a fetch waits for own mutations. @default 5_000 */
  readonly deferMs: number;
  /** Without an answer for this long a request counts as hung. @default 30_000 */
  readonly watchdogMs: number;
  /** How long a channel may be uncovered before its unused queries are marked. @default 5_000 */
  readonly graceMs: number;
  /** Uncovered for this long, an active query is polled. @default 30_000 */
  readonly pollAfterMs: number;
  /** How often it is polled from then on. @default 60_000 */
  readonly pollEveryMs: number;
  /** The longest pause between fetches that fail or prove futile; the first is 1 s. @default 60_000 */
  readonly maxBackoffMs: number;
}

const DEFAULTS: RefetchOptions = {
  windowMs: 50,
  deferMs: 5_000,
  watchdogMs: 30_000,
  graceMs: 5_000,
  pollAfterMs: 30_000,
  pollEveryMs: 60_000,
  maxBackoffMs: 60_000,
};
