import { describe, expect, it } from 'vitest';
import { ALL, at, livePage, Page, Query } from '../../test/refetcher-page.ts';
import type { Message } from '../core/message.ts';
import type { Phase } from './entry.ts';

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

describe('what an entry waits for', () => {
  type Resting = Exclude<Phase, 'running'>;
  type Live = ReturnType<typeof livePage>;
  const reach: Record<Resting, (live: Live) => void> = {
    idle: () => {},
    window: ({ publish }) => publish(),
    deferred({ page, publish }) {
      page.running = 1;
      publish();
      page.pass(50);
    },
    backoff({ page, query, publish }) {
      publish();
      page.pass(50);
      query.fail();
    },
    polling({ page }) {
      page.freshness.uncovered('c');
      page.turn();
    },
  };
  const events = {
    news: ({ publish }) => publish(),
    gap({ page }) {
      page.freshness.uncovered('c');
      page.freshness.join('c', at(20), false);
      page.turn();
    },
    time: ({ page, query }) => {
      const { length } = query.fetchedAtMs;
      for (let ms = 0; ms < 40_000 && query.fetchedAtMs.length === length; ms += 10) page.pass(10);
    },
    'fetch by the app': ({ query }) => void query.start(),
    'fresh answer'({ query, page }) {
      query.start();
      query.answer({ c: at(50) });
      page.turn();
    },
    'stale answer'({ query, page }) {
      query.start();
      query.answer({ c: at(5) }, true);
      page.turn();
    },
    'failed fetch'({ query }) {
      query.start();
      query.fail();
    },
    'mutation begins': ({ page }) => void page.running++,
    'mutation ends'({ page }) {
      page.running = 0;
      page.refetcher.mutationEnded(false);
      page.turn();
    },
    drop({ page }) {
      page.freshness.uncovered('c');
      page.turn();
    },
    rejoin({ page }) {
      page.freshness.join('c', at(5), true);
      page.turn();
    },
    'not in use'({ page, query }) {
      query.active = false;
      page.refetcher.usageChanged(query.entry);
      page.turn();
    },
    shown({ page }) {
      page.refetcher.returned();
      page.turn();
    },
    'left by its channel'({ page }) {
      page.freshness.unsubscribed('c');
      page.turn();
    },
    'written by hand'({ page, query }) {
      page.refetcher.written(query.entry);
      page.turn();
    },
    removed: ({ page, query }) => page.refetcher.remove(query.entry),
  } satisfies Record<string, (live: Live) => void>;
  type Event = keyof typeof events;

  /** `fetches`: the event leads to a fetch by the refetcher, and the entry waits for nothing else. */
  const table: Record<Resting, Record<Event, Resting | 'fetches'>> = {
    idle: {
      news: 'window',
      gap: 'window',
      time: 'idle',
      'fetch by the app': 'idle',
      'fresh answer': 'idle',
      'stale answer': 'idle',
      'failed fetch': 'idle',
      'mutation begins': 'idle',
      'mutation ends': 'idle',
      drop: 'polling',
      rejoin: 'idle',
      'not in use': 'idle',
      shown: 'idle',
      'left by its channel': 'polling',
      'written by hand': 'idle',
      removed: 'idle',
    },
    window: {
      news: 'window',
      gap: 'window',
      time: 'fetches',
      'fetch by the app': 'window',
      'fresh answer': 'idle',
      'stale answer': 'window',
      'failed fetch': 'backoff',
      'mutation begins': 'window',
      'mutation ends': 'window',
      drop: 'window',
      rejoin: 'window',
      'not in use': 'window',
      shown: 'window',
      'left by its channel': 'window',
      'written by hand': 'window',
      removed: 'idle',
    },
    deferred: {
      news: 'deferred',
      gap: 'deferred',
      time: 'fetches',
      'fetch by the app': 'deferred',
      'fresh answer': 'idle',
      'stale answer': 'deferred',
      'failed fetch': 'backoff',
      'mutation begins': 'deferred',
      'mutation ends': 'fetches',
      drop: 'deferred',
      rejoin: 'deferred',
      'not in use': 'deferred',
      shown: 'deferred',
      'left by its channel': 'deferred',
      'written by hand': 'deferred',
      removed: 'idle',
    },
    backoff: {
      news: 'backoff',
      gap: 'backoff',
      time: 'fetches',
      'fetch by the app': 'backoff',
      'fresh answer': 'idle',
      'stale answer': 'backoff',
      'failed fetch': 'backoff',
      'mutation begins': 'backoff',
      'mutation ends': 'backoff',
      drop: 'backoff',
      rejoin: 'backoff',
      'not in use': 'backoff',
      shown: 'backoff',
      'left by its channel': 'backoff',
      'written by hand': 'backoff',
      removed: 'idle',
    },
    polling: {
      news: 'polling', // not joined: the publication is ignored
      gap: 'window',
      time: 'fetches',
      'fetch by the app': 'polling',
      'fresh answer': 'polling',
      'stale answer': 'polling',
      'failed fetch': 'polling',
      'mutation begins': 'polling',
      'mutation ends': 'polling',
      drop: 'polling',
      rejoin: 'idle',
      'not in use': 'polling',
      shown: 'polling',
      'left by its channel': 'polling',
      'written by hand': 'polling',
      removed: 'idle',
    },
  };
  const rows = (Object.keys(table) as Resting[]).flatMap((phase) =>
    (Object.keys(events) as Event[]).map((event) => [phase, event, table[phase][event]] as const),
  );

  it.each(rows)('%s, then %s: %s', (phase, event, expected) => {
    const live = livePage();
    reach[phase](live);
    expect(live.query.entry.phase).toBe(phase);
    const before = live.fetches();
    events[event](live);
    const fetched = live.fetches() > before;
    expect(fetched ? 'fetches' : live.query.entry.phase).toBe(expected);
    if (fetched) expect(live.query.entry.phase).toBe('idle');
    expect(live.query.entry.cancel === null).toBe(live.query.entry.phase === 'idle');
  });
});
