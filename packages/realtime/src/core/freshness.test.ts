import { describe, expect, it } from 'vitest';
import { createQueryRecord, Freshness } from './freshness.ts';
import type { AnswerPart, QueryRecord } from './freshness-records.ts';
import { isCovered, isLive, isStale, isSuspect } from './freshness-verdict.ts';
import type { Message } from './message.ts';

const ALL: Message = { type: 'channel-invalidation' };
const EVENT: Message = { type: 'event', name: 'typing', data: null };
const key = (...queryKey: unknown[]): Message => ({ type: 'query-invalidation', queryKey });
const at = (offset: number, epoch = 'a') => ({ epoch, offset });
type At = ReturnType<typeof at>;

/** A tab with one query `['q']`, and what happens to it written in one line each. */
function tab() {
  const touched = new Set<QueryRecord>();
  const f = new Freshness((q) => touched.add(q));
  const q = createQueryRecord(['q']);
  const stale = () => isStale(q);
  return {
    f,
    q,
    stale,
    /** Whether `event` reported the query. */
    touches(event: () => void) {
      touched.clear();
      event();
      return touched.has(q);
    },
    /** A request that leaves now; the returned function delivers its answer. */
    fetch(query = q) {
      const tick = f.depart();
      f.fetching.add(query);
      return (
        channels: Record<string, ReturnType<typeof at> | null>,
        how: { cached?: boolean; pages?: readonly AnswerPart[] } = {},
      ) => {
        f.fetching.delete(query);
        const part = { tick: how.cached ? 0 : tick, channels: Object.entries(channels) };
        return f.settle(query, [part, ...(how.pages ?? [])], tick);
      };
    },
  };
}

/** Data with stamp 5, then joined at top 5: nothing is missing. */
function liveTab() {
  const t = tab();
  t.fetch()({ c: at(5) });
  t.f.join('c', at(5), false);
  return t;
}

describe('the first join', () => {
  const cases: [
    name: string,
    stamp: ReturnType<typeof at> | null,
    top: ReturnType<typeof at> | null,
    stale: boolean,
  ][] = [
    ['a stamp at the top', at(5), at(5), false],
    ['a stamp above the top, from an answer that overtook the join', at(6), at(5), false],
    ['a stamp below the top', at(4), at(5), true],
    ['an unknown stamp', null, at(5), true],
    ['a stamp of another epoch', at(9, 'b'), at(5), true],
    ['offset 0 in two epochs', at(0, 'b'), at(0), true],
    ['a channel without history', null, null, true],
  ];
  it.each(cases)('with %s: stale is %4$s', (_name, stamp, top, stale) => {
    const t = tab();
    t.fetch()({ c: stamp });
    expect(t.stale()).toBe(false);
    t.f.join('c', top, false);
    expect(t.stale()).toBe(stale);
    expect(isLive(t.q)).toBe(!stale);
  });

  it('is proved by the floor of a request that left after it, stamp or not', () => {
    const t = tab();
    t.fetch()({ c: null });
    t.f.join('c', at(5), false);
    t.fetch()({ c: null });
    expect(isLive(t.q)).toBe(true);
  });

  it('on a channel without history is proved by a request that left after it, and undone by the next join', () => {
    const t = tab();
    t.fetch()({ c: null });
    t.f.join('c', null, false);
    t.fetch()({ c: null });
    expect(isLive(t.q)).toBe(true);
    t.f.uncovered('c');
    t.f.join('c', null, false);
    expect(t.stale()).toBe(true);
  });

  it('with since is a recovery from the lowest stamp, so that only what concerns a query costs a refetch', () => {
    const t = tab();
    const other = createQueryRecord(['other']);
    t.fetch()({ c: at(4) });
    t.fetch(other)({ c: at(3) });
    expect(t.f.since('c')).toEqual(at(3));
    t.f.join('c', at(3), true);
    t.f.publication('c', 4, EVENT);
    t.f.publication('c', 5, key('other'));
    expect([t.stale(), isStale(other)]).toEqual([false, true]);
    expect(t.f.since('c')).toBeNull();
  });

  it.each<[string, At[], At]>([
    ['in one epoch: the lowest', [at(5), at(3), at(4)], at(3)],
    ['in two: the lowest in the one heard of last', [at(5), at(1, 'b'), at(3), at(9, 'b'), at(4)], at(3)],
    ['and the last one heard of is another one', [at(2, 'b'), at(9, 'a'), at(1, 'b')], at(1, 'b')],
  ])('recovers from stamps %s', (_name, stamps, since) => {
    const t = tab();
    for (const stamp of stamps) t.fetch(createQueryRecord(['q']))({ c: stamp });
    expect(t.f.since('c')).toEqual(since);
  });

  it('never recovers from a stamp with an empty epoch', () => {
    const t = tab();
    t.fetch()({ c: at(4, '') });
    expect(t.f.since('c')).toBeNull();
  });
});

describe('a publication', () => {
  const cases: [name: string, offset: number | null, message: Message, stale: boolean, touched: boolean][] = [
    ['for the channel', 6, ALL, true, true],
    ['for the key', 6, key('q'), true, true],
    ['for another key', 6, key('other'), false, false],
    ['that is an event', 6, EVENT, false, false],
    ['that came before', 5, ALL, false, false],
    ['after a lost one, itself for another key', 7, key('other'), true, true],
    ['without an offset', null, key('q'), true, true],
    ['without an offset, for another key', null, key('other'), false, false],
  ];
  it.each(cases)('%s', (_name, offset, message, stale, touched) => {
    const t = liveTab();
    expect(t.touches(() => t.f.publication('c', offset, message))).toBe(touched);
    expect(t.stale()).toBe(stale);
  });

  it('that the answer contains already costs nothing', () => {
    const t = liveTab();
    const answer = t.fetch();
    t.f.publication('c', 6, ALL);
    answer({ c: at(6) });
    expect(t.stale()).toBe(false);
  });

  it('during the fetch, newer than its stamp, leaves the query stale', () => {
    const t = liveTab();
    const answer = t.fetch();
    t.f.publication('c', 6, ALL);
    answer({ c: null });
    expect(t.stale()).toBe(true);
  });

  it('is ignored while the channel is not joined', () => {
    const t = liveTab();
    t.f.uncovered('c');
    expect(t.touches(() => t.f.publication('c', 6, ALL))).toBe(false);
    t.f.join('c', at(5), true);
    t.f.publication('c', 6, ALL);
    expect(t.stale()).toBe(true);
  });

  it('does not come back when it is doubled after the refetch', () => {
    const t = liveTab();
    t.f.publication('c', 6, ALL);
    t.fetch()({ c: at(6) });
    expect(t.touches(() => t.f.publication('c', 6, ALL))).toBe(false);
    expect(t.stale()).toBe(false);
  });

  it('of events at a steady pace never makes an answer in flight look old', () => {
    const t = liveTab();
    const answer = t.fetch();
    t.f.publication('c', 6, EVENT);
    answer({ c: at(5) });
    expect(t.stale()).toBe(false);
  });
});

describe('a rejoin', () => {
  const spreads: [name: string, join: [At | null, boolean], spreadMs: number | undefined][] = [
    ['finds another stream: all tabs lost it', [at(0, 'b'), false], 700],
    ['finds a restored broker', [at(3), false], 700],
    ['finds no stream', [null, false], 700],
    ['missed something: a gap of its own', [at(9), false], 0],
    ['missed nothing', [at(5), false], undefined],
  ];
  it.each(spreads)('that %s is spread as the last answer told', (_name, [position, recovered], spreadMs) => {
    const told: (number | undefined)[] = [];
    const f = new Freshness((_query, ms) => told.push(ms));
    const q = createQueryRecord(['q']);
    f.join('c', at(5), false);
    f.settle(q, [{ tick: 0, channels: [['c', at(5)]] }], 0);
    f.lostHistorySpreadMs = 700;
    f.uncovered('c');
    told.length = 0;
    f.join('c', position, recovered);
    expect(told).toEqual([spreadMs]);
  });

  it('of a channel that was left in between is a first join, and waits for nothing', () => {
    const told: (number | undefined)[] = [];
    const f = new Freshness((_query, ms) => told.push(ms));
    f.settle(createQueryRecord(['q']), [{ tick: 0, channels: [['c', at(5)]] }], 0);
    f.join('c', at(5), false);
    f.unsubscribed('c');
    f.lostHistorySpreadMs = 700;
    told.length = 0;
    f.join('c', at(0, 'b'), false);
    expect(told).toEqual([0]);
  });

  type Top = ReturnType<typeof at>;
  const cases: [name: string, position: Top, recovered: boolean, stale: boolean][] = [
    ['recovered from the cursor', at(5), true, false],
    ['recovered from before the cursor', at(3), true, false],
    ['recovered from beyond the cursor', at(7), true, true],
    ['unrecovered with the same top', at(5), false, false],
    ['unrecovered with a higher top', at(6), false, true],
    ['in a new epoch', at(5, 'b'), false, true],
    ['recovered in a new epoch', at(0, 'b'), true, true],
    ['unrecovered with a lower top: a restored broker', at(4), false, true],
  ];
  it.each(cases)('%s: stale is %4$s', (_name, position, recovered, stale) => {
    const t = liveTab();
    t.f.uncovered('c');
    expect(isLive(t.q)).toBe(false);
    t.f.join('c', position, recovered);
    expect(t.stale()).toBe(stale);
  });

  it('in a new epoch is proved by a stamp that reaches its top, and old hits do not count', () => {
    const t = liveTab();
    for (let offset = 6; offset < 9; offset++) t.f.publication('c', offset, ALL);
    t.f.uncovered('c');
    t.fetch()({ c: at(1, 'b') });
    t.f.join('c', at(1, 'b'), false);
    expect(isLive(t.q)).toBe(true);
  });

  it('in an epoch heard of before is proved by the hint floor', () => {
    const t = liveTab();
    t.fetch()({ c: at(3, 'b') });
    const answer = t.fetch();
    t.f.join('c', at(2, 'b'), false);
    answer({ c: null });
    // 3 was heard of before the request left, so the data contains it, and the join's 2.
    expect(isLive(t.q)).toBe(true);
  });

  it('to a restored broker voids the stamps of requests that left before', () => {
    const t = liveTab();
    const answer = t.fetch();
    t.f.uncovered('c');
    t.f.join('c', at(2), false);
    answer({ c: at(5) });
    expect(t.stale()).toBe(true);
    t.fetch()({ c: at(2) });
    expect(t.stale()).toBe(false);
  });
});

describe('an own mutation', () => {
  it('sets the hit before its echo, which then is free', () => {
    const t = liveTab();
    t.f.acknowledged([{ channel: 'c', position: at(6), message: ALL }]);
    expect(isLive(t.q)).toBe(false);
    t.fetch()({ c: null }); // the position is in the floor
    expect(isLive(t.q)).toBe(true);
    expect(t.touches(() => t.f.publication('c', 6, ALL))).toBe(true);
    expect(isLive(t.q)).toBe(true);
  });

  it('costs nothing when the echo came first', () => {
    const t = liveTab();
    t.f.publication('c', 6, ALL);
    t.fetch()({ c: at(6) });
    expect(t.touches(() => t.f.acknowledged([{ channel: 'c', position: at(6), message: ALL }]))).toBe(false);
  });

  it("leaves the cursor, so that another tab's publication just before it is no duplicate", () => {
    const t = liveTab();
    t.f.acknowledged([{ channel: 'c', position: at(7), message: key('other') }]);
    t.f.publication('c', 6, ALL);
    expect(t.stale()).toBe(true);
  });

  const forced: [name: string, before: (f: Freshness) => void, position: ReturnType<typeof at> | null][] = [
    ['without a position', () => {}, null],
    ['in another epoch', () => {}, at(1, 'b')],
    ['ahead, while the channel is not joined', (f) => f.uncovered('c'), at(6)],
    ['on a channel that was never joined', (f) => f.unsubscribed('c'), at(6)],
  ];
  it.each(forced)('%s forces a refetch', (_name, before, position) => {
    const t = liveTab();
    before(t.f);
    t.f.acknowledged([{ channel: 'c', position, message: key('other') }]);
    expect(t.stale()).toBe(false);
    t.f.acknowledged([{ channel: 'c', position, message: key('q') }]);
    expect(t.stale()).toBe(true);
    t.fetch()({ c: at(5) });
    expect(t.q.forced).toBe(0);
  });

  it('without a position is not answered by a request that left before', () => {
    const t = liveTab();
    const answer = t.fetch();
    t.f.acknowledged([{ channel: 'c', position: null, message: ALL }]);
    answer({ c: at(9) });
    expect(t.stale()).toBe(true);
  });

  it('concerns a query whose first fetch runs and whose channels are not known yet', () => {
    const t = tab();
    const answer = t.fetch();
    t.f.acknowledged([{ channel: 'c', position: null, message: key('q') }]);
    answer({ c: at(9) });
    expect(t.stale()).toBe(true);
  });
});

describe('new data', () => {
  it('from a cache has no floor', () => {
    const t = liveTab();
    t.f.publication('c', 6, ALL);
    t.fetch()({ c: null }, { cached: true });
    expect(t.stale()).toBe(true);
    t.fetch()({ c: at(5) }, { cached: true });
    expect(t.stale()).toBe(true);
    t.fetch()({ c: at(6) }, { cached: true });
    expect(t.stale()).toBe(false);
  });

  it('is as old as its oldest page, and without proof if one page has none', () => {
    const t = liveTab();
    t.f.publication('c', 6, ALL);
    const page = (offset: number | null): AnswerPart => ({
      tick: 0,
      channels: [['c', offset === null ? null : at(offset)]],
    });
    t.fetch()({ c: at(6) }, { pages: [page(5)] });
    expect(t.stale()).toBe(true);
    t.fetch()({ c: at(6) }, { pages: [page(6)] });
    expect(t.stale()).toBe(false);
    t.fetch()({ c: at(6) }, { pages: [page(null)] });
    expect(t.stale()).toBe(true);
  });

  it('replaces the channels, and the record of a channel that nobody uses goes', () => {
    const t = liveTab();
    expect(t.fetch()({ d: at(1) })).toBe(true);
    t.f.publication('c', 6, ALL);
    expect(t.stale()).toBe(false);
    t.f.unsubscribed('c');
    expect([...t.f.channels.keys()]).toEqual(['d']);
  });

  it('needs every channel: one fresh channel proves nothing', () => {
    const t = tab();
    t.fetch()({ c: at(5), d: at(5) });
    t.f.join('c', at(5), false);
    expect([isCovered(t.q), isLive(t.q), t.stale()]).toEqual([false, false, false]);
    t.f.join('d', at(6), false);
    expect([isCovered(t.q), isLive(t.q), t.stale()]).toEqual([true, false, true]);
  });

  it('without metadata unbinds the query', () => {
    const t = liveTab();
    t.f.force(t.q);
    t.f.settle(t.q, [], t.f.depart());
    expect([t.q.bonds.size, t.stale()]).toEqual([0, false]);
  });

  it('that binds a channel late takes the news that came during its fetch into account', () => {
    const t = liveTab();
    const late = createQueryRecord(['late']);
    const answer = t.fetch(late);
    t.f.publication('c', 6, key('late'));
    t.f.publication('c', 7, EVENT);
    answer({ c: at(5) });
    expect(isStale(late)).toBe(true);
    const later = createQueryRecord(['later']);
    t.fetch(later)({ c: at(5) });
    expect(isStale(later)).toBe(false);
  });

  it('that binds late to a channel whose log is too short assumes there was news', () => {
    const t = liveTab();
    const late = createQueryRecord(['late']);
    const answer = t.fetch(late);
    for (let offset = 6; offset < 80; offset++) t.f.publication('c', offset, key('other'));
    answer({ c: at(5) });
    expect(isStale(late)).toBe(true);
    expect(t.f.channels.get('c')!.log.length).toBeLessThanOrEqual(64);
    t.fetch(late)({ c: null });
    expect(isStale(late)).toBe(false);
  });

  it('answered by another broker after the join is suspect, not stale', () => {
    const t = liveTab();
    t.fetch()({ c: at(1, 'b') });
    expect([isSuspect(t.q), t.stale(), isLive(t.q)]).toEqual([true, false, false]);
    t.f.join('c', at(1, 'b'), false);
    expect([isSuspect(t.q), isLive(t.q)]).toEqual([false, true]);
  });
});

describe('losing a channel', () => {
  it('ends "live" at once, and makes nothing stale', () => {
    const t = liveTab();
    expect(t.touches(() => t.f.uncovered('c'))).toBe(true);
    expect([isCovered(t.q), isLive(t.q), t.stale()]).toEqual([false, false, false]);
  });

  it('past the grace is remembered until the next join', () => {
    const t = liveTab();
    t.f.graceOver('c');
    expect(t.f.channels.get('c')!.lost).toBe(false);
    t.f.uncovered('c');
    t.f.graceOver('c');
    expect(t.f.channels.get('c')!.lost).toBe(true);
    t.f.join('c', at(5), true);
    expect(t.f.channels.get('c')!.lost).toBe(false);
  });

  it('for good forgets its stream, but a stamp still proves at the next first join', () => {
    const t = liveTab();
    t.f.publication('c', 6, ALL);
    t.fetch()({ c: at(6) });
    t.f.unsubscribed('c');
    expect(t.f.channels.get('c')).toMatchObject({ cursor: null, base: 0, known: 0, live: false });
    t.f.join('c', at(6), false);
    expect(isLive(t.q)).toBe(true);
  });

  it('of a removed query drops the record', () => {
    const t = liveTab();
    t.f.uncovered('c');
    t.f.remove(t.q);
    expect(t.f.channels.size).toBe(0);
  });
});
