import { describe, expect, it } from 'vitest';
import type { ChannelProof } from '../query/binding-source.ts';
import { durationWords, momentWords } from './duration-words.ts';
import { proofWords } from './proof-words.ts';
import { queryLabel } from './query-label.ts';

describe('durationWords', () => {
  it.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [84.4, '84 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [9_949, '9.9 s'],
    [10_000, '10 s'],
    [89_000, '89 s'],
    [90_000, '2 min'],
    [5_340_000, '89 min'],
    [5_400_000, '1 h 30 min'],
    [86_400_000, '24 h'],
    [172_800_000, '2 d'],
  ])('%d is %s', (ms, words) => expect(durationWords(ms)).toBe(words));
});

it('momentWords names the day where it is another one', () => {
  const noon = new Date(2026, 4, 5, 12, 0, 7).getTime();
  expect(momentWords(noon, noon + 3_600_000)).toBe('12:00:07');
  expect(momentWords(noon, noon - 86_400_000)).toBe('5 May, 12:00:07');
});

describe('queryLabel', () => {
  it.each([
    [[['post', 'list'], { type: 'query' }], 'post.list'],
    [[['post', 'byId'], { input: { id: '7' }, type: 'query' }], 'post.byId({"id":"7"})'],
    [['todos', 1], '["todos",1]'],
    [[], '[]'],
  ])('%j is %s', (key, label) => expect(queryLabel(key)).toBe(label));

  it('shortens long keys, and survives what JSON does not', () => {
    expect(queryLabel(['x'.repeat(500)])).toHaveLength(120);
    const endless: unknown[] = [];
    endless.push(endless);
    expect(queryLabel(['big', 5n])).toBe('["big","5n"]');
    expect(queryLabel(endless)).toBe('(cannot be shown)');
  });
});

describe('proofWords', () => {
  const at = (offset: number) => ({ epoch: 'a', offset });
  const proof: ChannelProof = {
    channel: 'trpc:org:1',
    isJoined: true,
    position: at(7),
    known: 7,
    base: 2,
    stamp: at(5),
    floor: null,
    lastNews: 0,
    reached: 5,
  };
  it.each<[name: string, proof: Partial<ChannelProof>, words: RegExp]>([
    ['what the server had read', {}, /holds everything up to 5: the server had read/],
    ['what this tab had heard of', { floor: at(6), reached: 6 }, /up to 6: this tab had heard of/],
    ['that nothing concerned it', {}, /Nothing that concerns this query/],
    ['news that the data holds', { lastNews: 4 }, /last news for this query was 4, which the data holds/],
    ['news that it does not hold', { lastNews: 6 }, /News at 6 concerns this query, and is not in the data/],
    ['a gap', { base: 6 }, /up to 6 was not seen one by one/],
    ['that nothing is proved', { reached: -1, stamp: null }, /Nothing proves how new/],
    ['what is known to exist', { known: 9 }, /offset 9 is known to exist/],
    ['a channel that is not joined', { isJoined: false }, /Not joined now/],
    ['a channel that never was', { isJoined: false, position: null }, /had read offset 5/],
    ['no stamp', { position: null, stamp: null }, /did not say how new/],
  ])('tell %s', (_, change, words) => expect(proofWords({ ...proof, ...change }).join(' ')).toMatch(words));
});
