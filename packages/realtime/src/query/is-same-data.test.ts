import { describe, expect, it } from 'vitest';
import { isSameData } from './is-same-data.ts';

const at = (ms: number) => new Date(ms);
class Money {
  readonly cents = 5;
}
const nest = (levels: number): unknown => (levels ? { in: nest(levels - 1) } : 1);
const endless = () => {
  const data: { self?: unknown } = {};
  data.self = data;
  return data;
};

describe('isSameData', () => {
  it.each<[name: string, before: unknown, after: unknown, isSame: boolean]>([
    ['equal numbers', 1, 1, true],
    ['other numbers', 1, 2, false],
    ['NaN', Number.NaN, Number.NaN, true],
    ['nothing and null', undefined, null, false],
    ['objects in another order of keys', { a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, true],
    ['a key less', { a: 1, b: undefined }, { a: 1 }, false],
    ['another key', { a: undefined }, { b: undefined }, false],
    ['a list in another order', [1, 2], [2, 1], false],
    ['a longer list', [1], [1, 2], false],
    ['a list and an object', [], {}, false],
    ['the same date', { at: at(5) }, { at: at(5) }, true],
    ['another date', { at: at(5) }, { at: at(6) }, false],
    ['equal maps', new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]]), true],
    ['other maps', new Map([['a', 1]]), new Map([['a', 2]]), false],
    ['equal sets', new Set([1, 2]), new Set([1, 2]), true],
    ['sets in another order', new Set([1, 2]), new Set([2, 1]), false],
    ['objects of a class', new Money(), new Money(), false],
    [
      'objects without a prototype',
      Object.assign(Object.create(null), { a: 1 }),
      Object.assign(Object.create(null), { a: 1 }),
      true,
    ],
    ['a key named __proto__', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":2}}'), false],
    ['deep data', nest(150), nest(150), true],
    ['data that refers to itself', endless(), endless(), false],
  ])('%s', (_, before, after, isSame) => {
    expect(isSameData(before, after)).toBe(isSame);
    expect(isSameData(after, before)).toBe(isSame);
  });
});
