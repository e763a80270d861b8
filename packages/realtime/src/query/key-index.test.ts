import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesQuery } from '../core/matches-query.ts';
import type { QueryKey } from '../core/message.ts';
import { KeyIndex } from './key-index.ts';

const word = fc.constantFrom('a', 'b', 'c');
const part: fc.Arbitrary<unknown> = fc.oneof(
  word,
  fc.array(word, { maxLength: 2 }),
  fc.integer({ min: 0, max: 2 }),
  fc.record({ input: word }),
  fc.constant(null),
);
const key: fc.Arbitrary<QueryKey> = fc.array(part, { maxLength: 3 });

describe('an index of keys', () => {
  it('misses none that a message matches', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 6 }), key, fc.boolean(), (keys, queryKey, exact) => {
        const index = new KeyIndex<number>();
        for (const [at, own] of keys.entries()) index.add(own, at);
        const candidates = index.candidates(queryKey);
        for (const [at, own] of keys.entries())
          if (matchesQuery({ queryKey, exact }, own)) expect(candidates.has(at)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('forgets what was deleted', () => {
    const index = new KeyIndex<number>();
    index.add(['a', 1], 1);
    index.add([['p'], ['a', 'b'], { type: 'query' }], 2);
    expect([...index.candidates(['a'])]).toEqual([1, 2]);
    expect([...index.candidates([['p']])]).toEqual([2]);
    index.delete(['a', 1], 1);
    index.delete([['p'], ['a', 'b'], { type: 'query' }], 2);
    expect([...index.candidates(['a']), ...index.candidates([])]).toEqual([]);
  });

  it('does not walk through the others', () => {
    const index = new KeyIndex<number>();
    for (let at = 0; at < 1_000; at++) index.add([[`path${at}`], { type: 'query' }], at);
    expect(index.candidates(['path7']).size).toBe(1);
    expect(index.candidates([['path7'], { type: 'query' }]).size).toBe(1);
    index.add([['path7', 'deep'], { type: 'query' }], 1_000);
    expect(index.candidates(['path7']).size).toBe(2);
    expect(index.candidates(['path7', 'deep']).size).toBe(1);
  });
});
