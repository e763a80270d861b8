import type { AnswerPart } from '../src/core/freshness-records.ts';
import type { Message } from '../src/core/message.ts';
import type { Entry, Fetch, QueryPort } from '../src/query/entry.ts';
import { Refetcher } from '../src/query/refetcher.ts';

export const ALL: Message = { type: 'channel-invalidation' };
export const at = (offset: number, epoch = 'a') => ({ epoch, offset });
type At = ReturnType<typeof at>;

/** A page on a virtual clock: timers fire in order, turns end by hand. */
export class Page {
  nowMs = 0;
  hidden = false;
  running = 0;
  paused = 0;
  slot = 0.5;
  readonly changes: string[] = [];
  readonly refetcher: Refetcher;
  #timers: { dueMs: number; fn: () => void }[] = [];
  #soon: (() => void)[] = [];

  constructor() {
    this.refetcher = new Refetcher({
      clock: {
        now: () => this.nowMs,
        after: (delayMs, fn) => {
          const timer = { dueMs: this.nowMs + delayMs, fn };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
      },
      random: () => this.slot,
      soon: (fn) => this.#soon.push(fn),
      isAway: () => this.hidden,
      isMutating: () => this.running > 0,
      hasMutations: () => this.running + this.paused > 0,
      changed: (entries) => this.changes.push(...entries.map((entry) => this.refetcher.status(entry))),
    });
  }

  get freshness() {
    return this.refetcher.freshness;
  }

  get timers(): number {
    return this.#timers.length;
  }

  turn(): void {
    while (this.#soon.length) this.#soon.shift()!();
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    this.turn();
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.nowMs = next.dueMs;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.fn();
      this.turn();
    }
    this.nowMs = endMs;
  }
}

/** A cache entry in use, and its server. */
export class Query implements QueryPort {
  readonly page: Page;
  readonly entry: Entry;
  active = true;
  marks = 0;
  /** Fetches by the refetcher, with the time of each. */
  readonly fetchedAtMs: number[] = [];
  replaced = 0;
  current: Fetch | null = null;

  constructor(page: Page, key = 'q') {
    this.page = page;
    this.entry = page.refetcher.add([key], this);
  }

  isActive() {
    return this.active;
  }
  isFetching() {
    return this.current !== null;
  }
  mark() {
    this.marks++;
  }
  fetch(replace: boolean) {
    if (this.current && !replace) return;
    if (replace) this.replaced++;
    this.fetchedAtMs.push(this.page.nowMs);
    this.start();
  }
  /** The app fetches. */
  start() {
    this.current = this.page.refetcher.started(this.entry);
    return this.current;
  }
  answer(channels: Record<string, At | null>, cached = false) {
    const fetch = this.current!;
    this.current = null;
    const part: AnswerPart = { tick: cached ? 0 : fetch.tick, channels: Object.entries(channels) };
    this.page.refetcher.settled(fetch, [part]);
    this.page.turn();
  }
  fail() {
    const fetch = this.current!;
    this.current = null;
    this.page.refetcher.settled(fetch, null);
    this.page.turn();
  }
  get status() {
    return this.page.refetcher.status(this.entry);
  }
}

/** A query with data as of offset 5, on a channel joined there. */
export function livePage() {
  const page = new Page();
  const query = new Query(page);
  query.start();
  query.answer({ c: at(5) });
  page.freshness.join('c', at(5), false);
  page.turn();
  let offset = 5;
  const publish = (message: Message = ALL, spreadMs?: number) => {
    page.freshness.publication('c', ++offset, message, spreadMs);
    page.turn();
  };
  return { page, query, publish, fetches: () => query.fetchedAtMs.length };
}
