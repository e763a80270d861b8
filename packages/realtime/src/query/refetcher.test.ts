import { describe, expect, it } from 'vitest';
import type { AnswerPart } from '../core/freshness.ts';
import type { Message } from '../core/message.ts';
import { type Entry, type Fetch, type QueryPort, Refetcher } from './refetcher.ts';

const ALL: Message = { type: 'channel-invalidation' };
const at = (offset: number, epoch = 'a') => ({ epoch, offset });
type At = ReturnType<typeof at>;

/** A page on a virtual clock: timers fire in order, turns end by hand. */
class Page {
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
class Query implements QueryPort {
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
function livePage() {
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

describe('one refetch', () => {
  it('comes one window after the first news', () => {
    const { page, query, publish } = livePage();
    publish();
    expect(query.status).toBe('stale');
    page.pass(49);
    expect(query.fetchedAtMs).toEqual([]);
    page.pass(1);
    expect(query.fetchedAtMs).toEqual([50]);
    query.answer({ c: at(6) });
    expect(query.status).toBe('live');
    page.pass(600_000);
    expect(query.fetchedAtMs).toEqual([50]);
  });

  it('answers all news of one window, and later news does not move it', () => {
    const { page, query, publish } = livePage();
    for (let n = 0; n < 5; n++) {
      publish();
      page.pass(20);
    }
    expect(query.fetchedAtMs).toEqual([50]);
  });

  it('follows a fetch that turns out older than the news, whoever started it, and never cancels it', () => {
    const { page, query, publish, fetches } = livePage();
    query.start();
    for (let n = 0; n < 9; n++) publish();
    page.pass(5_000);
    expect(fetches()).toBe(0);
    query.answer({ c: at(5) });
    page.pass(50);
    expect(fetches()).toBe(1);
    query.answer({ c: at(14) });
    page.pass(5_000);
    expect([fetches(), query.replaced, query.status]).toEqual([1, 0, 'live']);
  });

  it('is not needed when the fetch that ran has it', () => {
    const { page, query, publish, fetches } = livePage();
    query.start();
    publish();
    query.answer({ c: at(6) });
    page.pass(5_000);
    expect(fetches()).toBe(0);
  });

  it("is not needed when the app's own fetch brought the data inside the window", () => {
    const { page, query, publish, fetches } = livePage();
    publish();
    query.start();
    page.pass(60);
    query.answer({ c: at(6) });
    page.pass(5_000);
    expect(fetches()).toBe(0);
  });

  it.each<[string, Message]>([
    ['an event', { type: 'event', name: 'e', data: 1 }],
    ['news for another key', { type: 'query-invalidation', queryKey: ['other'] }],
  ])('is not caused by %s', (_name, message) => {
    const { page, publish, fetches } = livePage();
    publish(message);
    page.pass(5_000);
    expect(fetches()).toBe(0);
  });

  it('follows a gap, once, and none follows a rejoin that missed nothing', () => {
    const { page, query, fetches } = livePage();
    page.freshness.uncovered('c');
    page.freshness.join('c', at(5), false);
    page.pass(5_000);
    expect([fetches(), query.status]).toEqual([0, 'live']);
    page.freshness.uncovered('c');
    page.freshness.join('c', at(9), false);
    page.pass(5_000);
    expect(fetches()).toBe(1);
    query.answer({ c: null });
    page.pass(5_000);
    expect([fetches(), query.status]).toEqual([1, 'live']);
  });

  it('of a recovered join is decided with the publications that it recovered', () => {
    const { page, query } = livePage();
    page.freshness.uncovered('c');
    page.turn();
    page.changes.length = 0;
    page.freshness.join('c', at(5), true);
    expect(query.status).not.toBe('live');
    page.freshness.publication('c', 6, ALL);
    page.turn();
    expect(page.changes).toEqual(['stale']);
  });
});

describe('spreading', () => {
  it('draws a slot once, in the time that the publisher gives', () => {
    const { page, query, publish } = livePage();
    publish(ALL, 10_000);
    page.slot = 0.1;
    publish(ALL, 10_000);
    page.pass(20_000);
    expect(query.fetchedAtMs).toEqual([5_050]);
  });

  it('gives way to news that asks for none', () => {
    const { page, query, publish } = livePage();
    publish(ALL, 10_000);
    publish();
    page.pass(20_000);
    expect(query.fetchedAtMs).toEqual([50]);
  });

  it('holds for news that came while a fetch ran', () => {
    const { page, query, publish } = livePage();
    query.start();
    publish(ALL, 10_000);
    query.answer({ c: at(5) });
    page.pass(20_000);
    expect(query.fetchedAtMs).toEqual([5_050]);
  });
});

describe('what nobody looks at', () => {
  it('is marked, not fetched, when it is not in use', () => {
    const { page, query, publish, fetches } = livePage();
    query.active = false;
    page.refetcher.usageChanged(query.entry);
    publish();
    page.pass(5_000);
    expect([fetches(), query.marks > 0]).toEqual([0, true]);
  });

  it('is fetched when the page is shown again', () => {
    const { page, query, publish, fetches } = livePage();
    page.hidden = true;
    publish();
    page.pass(5_000);
    expect([fetches(), query.marks > 0]).toEqual([0, true]);
    page.hidden = false;
    page.refetcher.returned();
    page.pass(50);
    expect(fetches()).toBe(1);
  });

  it('is not fetched when the page is hidden inside the window', () => {
    const { page, publish, fetches } = livePage();
    publish();
    page.hidden = true;
    page.pass(5_000);
    expect(fetches()).toBe(0);
  });

  it('is marked again when writing by hand cleared the mark', () => {
    const { page, query, publish } = livePage();
    query.active = false;
    publish();
    const { marks } = query;
    page.refetcher.written(query.entry);
    page.turn();
    expect(query.marks).toBe(marks + 1);
  });

  it('is marked when its channel stays away for longer than the grace, or is left', () => {
    const { page, query } = livePage();
    query.active = false;
    page.refetcher.usageChanged(query.entry);
    page.freshness.uncovered('c');
    page.pass(4_999);
    expect(query.marks).toBe(0);
    page.pass(1);
    expect(query.marks).toBe(1);
    page.freshness.unsubscribed('c');
    page.turn();
    expect(query.marks).toBe(2);
  });

  it('keeps its data without a mark when the channel comes back within the grace, and a later drop has its own', () => {
    const { page, query } = livePage();
    query.active = false;
    for (let n = 0; n < 3; n++) {
      page.freshness.uncovered('c');
      page.pass(3_000);
      page.freshness.join('c', at(5), true);
      page.pass(1_000);
    }
    expect(query.marks).toBe(0);
  });
});

describe('the end of the grace', () => {
  it('fetches what was mounted during it, once, and leaves the rest as it is', () => {
    const { page, query, fetches } = livePage();
    query.active = false;
    page.refetcher.usageChanged(query.entry);
    const watched = new Query(page, 'watched');
    watched.start();
    watched.answer({ c: at(5) });
    page.freshness.uncovered('c');
    page.pass(1_000);
    query.active = true;
    page.refetcher.usageChanged(query.entry);
    page.pass(3_000);
    expect(fetches()).toBe(0);
    page.pass(2_000);
    expect([fetches(), watched.fetchedAtMs.length]).toEqual([1, 0]);
    query.answer({ c: at(5) });
    page.pass(10_000);
    expect(fetches()).toBe(1);
  });

  it('asks nothing of what was mounted during it if the channel came back', () => {
    const { page, query, fetches } = livePage();
    query.active = false;
    page.refetcher.usageChanged(query.entry);
    page.freshness.uncovered('c');
    query.active = true;
    page.refetcher.usageChanged(query.entry);
    page.pass(1_000);
    page.freshness.join('c', at(5), true);
    page.pass(10_000);
    expect([fetches(), query.status]).toEqual([0, 'live']);
  });
});

describe('own mutations', () => {
  it('are waited for, then one fetch follows at once', () => {
    const { page, query, publish } = livePage();
    page.running = 1;
    publish();
    page.pass(1_000);
    expect(query.fetchedAtMs).toEqual([]);
    page.running = 0;
    page.refetcher.mutationEnded(false);
    expect(query.fetchedAtMs).toEqual([1_000]);
  });

  it('are waited for five seconds at most, also when one follows the other', () => {
    const { page, query, publish } = livePage();
    page.running = 1;
    publish();
    for (let n = 0; n < 10; n++) {
      page.pass(1_000);
      page.refetcher.mutationEnded(false);
    }
    expect(query.fetchedAtMs).toEqual([5_050]);
  });

  it('are not waited for when they are paused', () => {
    const { page, query, publish } = livePage();
    page.paused = 1;
    publish();
    page.pass(50);
    expect(query.fetchedAtMs).toEqual([50]);
  });

  it('with a hand-written entry are never live, and refetch it when they fail', () => {
    const { page, query, fetches } = livePage();
    page.running = 1;
    page.refetcher.written(query.entry);
    page.turn();
    expect(query.status).toBe('optimistic');
    query.start();
    query.answer({ c: at(5) });
    expect(query.status).toBe('live');
    page.refetcher.written(query.entry); // onError restores the snapshot, older than the answer
    page.running = 0;
    page.refetcher.mutationEnded(true);
    page.pass(50);
    expect(fetches()).toBe(1);
  });

  it('with a hand-written entry change nothing when they succeed', () => {
    const { page, query, fetches } = livePage();
    page.running = 1;
    page.refetcher.written(query.entry);
    page.running = 0;
    page.refetcher.mutationEnded(false);
    page.pass(5_000);
    expect([fetches(), query.status]).toEqual([0, 'live']);
  });

  it('cost one refetch, whether the echo or the answer comes first', () => {
    for (const echoFirst of [true, false]) {
      const { page, query, publish, fetches } = livePage();
      const answer = () => page.freshness.acknowledged([{ channel: 'c', position: at(6), message: ALL }]);
      if (echoFirst) publish();
      else answer();
      page.pass(50);
      query.answer({ c: at(6) });
      if (echoFirst) answer();
      else publish();
      page.pass(5_000);
      expect([fetches(), query.status]).toEqual([1, 'live']);
    }
  });
});

describe('backing off', () => {
  /** Answers every fetch with `answer` and returns the pauses between them. */
  function pauses(answer: (query: Query, n: number) => void, count: number) {
    const { page, query, publish } = livePage();
    publish();
    const result: number[] = [];
    let last = 0;
    while (result.length < count) {
      page.pass(10);
      if (!query.current) continue;
      result.push(page.nowMs - last);
      answer(query, result.length);
      last = page.nowMs;
    }
    return result;
  }

  it('doubles from a second to a minute when fetching is futile', () => {
    expect(pauses((query) => query.answer({ c: at(5) }, true), 9)).toEqual([
      50, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
  });

  it('does so when fetches fail, and ends with one that helps', () => {
    const answer = (query: Query, n: number) => (n === 4 ? query.answer({ c: at(6) }) : query.fail());
    const { page, query, publish } = livePage();
    publish();
    page.pass(50);
    for (let n = 1; n <= 4; n++) {
      answer(query, n);
      page.pass(8_000);
    }
    expect([query.fetchedAtMs.length, query.entry.failures, query.status]).toEqual([4, 0, 'live']);
    publish();
    page.pass(50);
    expect(query.fetchedAtMs.length).toBe(5);
  });

  it('is not shortened by news', () => {
    const { page, query, publish, fetches } = livePage();
    publish();
    page.pass(50);
    query.fail();
    publish();
    page.pass(900);
    expect(fetches()).toBe(1);
    page.pass(100);
    expect(fetches()).toBe(2);
  });

  it('is not for a fetch that only came too early for the news', () => {
    const { page, query, publish, fetches } = livePage();
    publish();
    page.pass(50);
    publish();
    query.answer({ c: at(6) });
    page.pass(50);
    expect(fetches()).toBe(2);
  });

  it('starts at the third fetch in a row that names a new channel', () => {
    const { page, query, publish } = livePage();
    publish();
    const gaps: number[] = [];
    for (let n = 0; n < 5; n++) {
      const fromMs = page.nowMs;
      while (!query.current) page.pass(10);
      gaps.push(page.nowMs - fromMs);
      query.answer({ [`d${n}`]: null });
      page.freshness.join(`d${n}`, at(1), false);
    }
    expect(gaps).toEqual([50, 50, 50, 1_000, 2_000]);
  });
});

describe('a request that hangs', () => {
  it('is given up after the watchdog and a pause, if the entry is stale', () => {
    const { page, query, publish } = livePage();
    publish();
    page.pass(50);
    page.pass(29_999);
    expect(query.fetchedAtMs.length).toBe(1);
    page.pass(1_001);
    expect([query.fetchedAtMs.length, query.replaced]).toEqual([2, 1]);
  });

  it('is left alone as long as the entry is not stale', () => {
    const { page, query } = livePage();
    query.start();
    page.pass(600_000);
    expect(query.replaced).toBe(0);
  });

  it('changes nothing when it answers after it was replaced', () => {
    const { page, query, publish } = livePage();
    publish();
    page.pass(50);
    const hung = query.current!;
    page.pass(31_000);
    expect(query.current).not.toBe(hung);
    page.refetcher.settled(hung, [{ tick: hung.tick, channels: [['c', at(99)]] }]);
    expect(query.status).toBe('stale');
  });
});

describe('without a channel to rely on', () => {
  it('an active query is polled, slowly, until it is covered again', () => {
    const { page, query, fetches } = livePage();
    page.freshness.uncovered('c');
    page.pass(29_999);
    expect(fetches()).toBe(0);
    page.pass(1);
    expect(fetches()).toBe(1);
    query.answer({ c: at(5) });
    page.pass(60_000);
    expect(fetches()).toBe(2);
    query.answer({ c: at(5) });
    page.freshness.join('c', at(5), true);
    page.pass(600_000);
    expect(fetches()).toBe(2);
  });

  it('a query answered by another broker is suspect and polled', () => {
    const { page, query, fetches } = livePage();
    query.start();
    query.answer({ c: at(1, 'b') });
    expect(query.status).toBe('suspect');
    page.pass(29_000);
    expect(fetches()).toBe(0);
    page.pass(1_000);
    expect(fetches()).toBe(1);
  });

  it('a refused query is not fetched at once', () => {
    const { page, query, fetches } = livePage();
    page.freshness.unsubscribed('c');
    page.pass(29_000);
    expect([fetches(), query.status]).toEqual([0, 'uncovered']);
  });

  it('a query that never named a channel is left alone', () => {
    const page = new Page();
    const query = new Query(page);
    query.start();
    query.answer({});
    page.pass(600_000);
    expect([query.fetchedAtMs.length, query.status, query.marks]).toEqual([0, 'unbound', 0]);
  });
});

describe('dispose and remove', () => {
  it('leave no timer behind', () => {
    const { page, query, publish } = livePage();
    publish();
    query.start();
    page.freshness.uncovered('c');
    page.turn();
    expect(page.timers).toBe(3);
    page.refetcher.dispose();
    expect(page.timers).toBe(0);
  });

  it('an answer to a removed entry changes nothing', () => {
    const { page, query } = livePage();
    const fetch = query.start();
    page.refetcher.remove(query.entry);
    page.refetcher.settled(fetch, [{ tick: fetch.tick, channels: [['d', at(1)]] }]);
    expect([query.entry.bonds.size, page.freshness.channels.has('d'), page.timers]).toEqual([0, false, 0]);
  });
});
