import { describe, expect, it } from 'vitest';
import type { RealtimeEvent, RefetchEnded, RefetchStarted } from '../core/events.ts';
import { isWasted, toTimeline } from './timeline.ts';

const recorded = (...events: RealtimeEvent[]) =>
  events.map((event, at) => ({ id: at + 1, source: 'queries 1', event }));
const started = (fields: Partial<RefetchStarted> = {}): RefetchStarted => ({
  type: 'refetch-started',
  at: 0,
  query: { hash: 'h', key: ['h'], isActive: true },
  reason: 'stale',
  causes: [],
  isFirst: false,
  ...fields,
});
const ended = (outcome: RefetchEnded['outcome'], fetch = started()): RefetchEnded => ({
  type: 'refetch-ended',
  at: 1,
  fetch,
  outcome,
  durationMs: 1,
  freshAfterMs: null,
});

describe('a fetch is wasted', () => {
  it.each<[boolean, string, RefetchEnded | null]>([
    [true, 'where this library asked and nothing had changed', ended('unchanged')],
    [false, 'where something had changed', ended('changed')],
    [false, 'where it failed', ended('failed')],
    [false, 'where the app asked', ended('unchanged', started({ reason: 'app' }))],
    [false, 'where it was the first of its query', ended('unchanged', started({ isFirst: true }))],
    [false, 'where it is under way', null],
  ])('%s: %s', (expected, _, fetch) => expect(isWasted(fetch)).toBe(expected));
});

it('a mutation that failed is told as one', () => {
  const mutation = { path: 'post.create' };
  const story = (failed: boolean) =>
    toTimeline(
      recorded({ type: 'mutation-started', at: 0, mutation }, { type: 'mutation-ended', at: 1, mutation, failed }),
    ).stories;
  expect(story(true)).toMatchObject([{ kind: 'mutation', name: 'post.create', hasFailed: true }]);
  expect(story(false)).toMatchObject([{ kind: 'mutation', name: 'post.create', hasFailed: false }]);
});

it('the totals count each outcome', () => {
  const outcomes = ['changed', 'unchanged', 'failed', 'failed'] as const;
  const events = outcomes.flatMap((outcome) => {
    const fetch = started();
    return [fetch, ended(outcome, fetch)];
  });
  expect(toTimeline(recorded(...events)).totals).toEqual({
    publications: 0,
    mutations: 0,
    refetches: 4,
    changed: 1,
    wasted: 1,
    failed: 2,
  });
});
