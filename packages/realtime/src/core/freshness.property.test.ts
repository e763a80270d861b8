import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQueryRecord, Freshness } from './freshness.ts';
import type { QueryRecord } from './freshness-records.ts';
import { isCovered, isLive, isStale } from './freshness-verdict.ts';
import type { Message } from './message.ts';

const names = ['a', 'b', '__proto__', 'constructor'];
const name = fc.constantFrom(...names);
const position = fc.record({ epoch: fc.constantFrom('x', 'y'), offset: fc.nat({ max: 9 }) });
const anyPosition = fc.option(position, { freq: 4 });
const message: fc.Arbitrary<Message> = fc.constantFrom<Message>(
  { type: 'channel-invalidation' },
  { type: 'query-invalidation', queryKey: ['q0'] },
  { type: 'event', name: 'e', data: 1 },
);
const event = fc.oneof(
  fc.record({ do: fc.constant('join' as const), name, at: anyPosition, recovered: fc.boolean() }),
  fc.record({
    do: fc.constant('publication' as const),
    name,
    step: fc.option(fc.integer({ min: -2, max: 3 })),
    message,
  }),
  fc.record({ do: fc.constant('acknowledged' as const), name, at: anyPosition, message }),
  fc.record({ do: fc.constantFrom('uncovered' as const, 'graceOver' as const, 'unsubscribed' as const), name }),
  fc.record({ do: fc.constant('depart' as const), query: fc.nat({ max: 2 }) }),
  fc.record({
    do: fc.constant('settle' as const),
    query: fc.nat({ max: 2 }),
    cached: fc.boolean(),
    channels: fc.array(fc.tuple(name, anyPosition), { maxLength: 3 }),
  }),
  fc.record({ do: fc.constant('remove' as const), query: fc.nat({ max: 2 }) }),
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

function world() {
  const touched = new Set<QueryRecord>();
  const freshness = new Freshness((query) => touched.add(query));
  const queries = [0, 1, 2].map((n) => createQueryRecord([`q${n}`]));
  const departed = [0, 0, 0];
  const take = (e: Event) => {
    switch (e.do) {
      case 'join':
        return freshness.join(e.name, e.at, e.recovered);
      case 'publication': {
        const cursor = freshness.channels.get(e.name)?.cursor?.offset ?? 0;
        return freshness.publication(e.name, e.step === null ? null : Math.max(0, cursor + e.step), e.message);
      }
      case 'acknowledged':
        return freshness.acknowledged([{ channel: e.name, position: e.at, message: e.message }]);
      case 'depart':
        departed[e.query] = freshness.depart();
        freshness.fetching.add(queries[e.query]!);
        return;
      case 'settle': {
        freshness.fetching.delete(queries[e.query]!);
        const tick = departed[e.query]!;
        freshness.settle(queries[e.query]!, [{ tick: e.cached ? 0 : tick, channels: e.channels }], tick);
        return;
      }
      case 'remove':
        return freshness.remove(queries[e.query]!);
      default:
        return freshness[e.do](e.name);
    }
  };
  return { freshness, queries, touched, take };
}

const verdicts = (queries: readonly QueryRecord[]) => queries.map((q) => [isStale(q), isCovered(q), isLive(q)]);

describe('whatever happens', () => {
  it('sizes stay bounded and both sides of a binding agree', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150, size: 'max' }), (events) => {
        const { freshness, queries, take } = world();
        for (const e of events) take(e);
        for (const [key, c] of freshness.channels) {
          expect(key).toBe(c.name);
          expect(c.log.length).toBeLessThanOrEqual(64);
          if (c.cursor) expect(c.known).toBeGreaterThanOrEqual(c.cursor.offset);
          if (c.cursor) expect(c.base).toBeLessThanOrEqual(c.cursor.offset);
          for (const q of c.queries) expect(q.bonds.has(c)).toBe(true);
        }
        for (const q of queries)
          for (const c of q.bonds.keys()) {
            expect(c.queries.has(q)).toBe(true);
            expect(freshness.channels.get(c.name)).toBe(c);
          }
      }),
      { numRuns: 400 },
    );
  });

  it('a query whose verdict changes is reported', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
        const { queries, touched, take } = world();
        for (const e of events) {
          const before = verdicts(queries);
          touched.clear();
          take(e);
          for (const [n, after] of verdicts(queries).entries())
            if (e.do !== 'remove' && String(after) !== String(before[n])) expect(touched.has(queries[n]!)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('a publication that is delivered again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80, size: 'max' }), message, (events, again) => {
        const { freshness, queries, touched, take } = world();
        for (const e of events) {
          take(e);
          const before = verdicts(queries);
          touched.clear();
          for (const c of [...freshness.channels.values()])
            if (c.cursor) freshness.publication(c.name, c.cursor.offset, again);
          expect(touched.size).toBe(0);
          expect(verdicts(queries)).toEqual(before);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('an answer that names the top of every channel it needs, asked for now, is live once they are joined', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 80, size: 'max' }),
        fc.subarray(names, { minLength: 1 }),
        (events, channels) => {
          const { freshness, queries, take } = world();
          for (const e of events) take(e);
          for (const c of channels) freshness.join(c, { epoch: 'z', offset: 3 }, false);
          const query = queries[0]!;
          const tick = freshness.depart();
          freshness.settle(query, [{ tick, channels: channels.map((c) => [c, null] as const) }], tick);
          expect(isLive(query)).toBe(true);
          freshness.publication(channels[0]!, 4, { type: 'channel-invalidation' });
          expect(isStale(query)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});
