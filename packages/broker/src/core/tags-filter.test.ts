import { describe, expect, it } from 'vitest';
import { createEngine } from '../../test/engine-harness.ts';
import type { FilterNodeValue } from '../protocol/schema.ts';
import { isValidFilter, matchesTags } from './tags-filter.ts';

const NODE: FilterNodeValue = { op: '', key: '', cmp: '', val: '', vals: [], nodes: [] };
const leaf = (cmp: string, val = '', vals: string[] = [], key = 'k') => ({ ...NODE, key, cmp, val, vals });
const both = (op: string, ...nodes: FilterNodeValue[]) => ({ ...NODE, op, nodes });

describe('a condition', () => {
  it.each<[FilterNodeValue, string | undefined, boolean]>([
    [leaf('eq', 'a'), 'a', true],
    [leaf('eq', 'a'), 'b', false],
    [leaf('eq', 'a'), undefined, false],
    [leaf('neq', 'a'), 'b', true],
    [leaf('neq', 'a'), undefined, true],
    [leaf('neq', 'a'), 'a', false],
    [leaf('in', '', ['a', 'b']), 'b', true],
    [leaf('in', '', ['a']), undefined, false],
    [leaf('nin', '', ['a']), 'b', true],
    [leaf('nin', '', ['a']), undefined, true],
    [leaf('ex'), 'a', true],
    [leaf('ex'), undefined, false],
    [leaf('nex'), undefined, true],
    [leaf('sw', 'ab'), 'abc', true],
    [leaf('ew', 'bc'), 'abc', true],
    [leaf('ct', 'b'), 'abc', true],
    [leaf('ct', 'b'), undefined, false],
    [leaf('gt', '10'), '9', false],
    [leaf('gt', '10'), '10.0000000000000000001', true],
    [leaf('gte', '10'), '10.0', true],
    [leaf('lt', '-1'), '-2', true],
    [leaf('lte', '0.1'), '0.10', true],
    [leaf('gt', '1'), 'x', false],
    [leaf('gt', '9007199254740992'), '9007199254740993', true],
    [both('and', leaf('sw', 'a'), leaf('ew', 'c')), 'abc', true],
    [both('and', leaf('sw', 'a'), leaf('ew', 'x')), 'abc', false],
    [both('or', leaf('sw', 'x'), leaf('ew', 'c')), 'abc', true],
    [both('not', leaf('eq', 'a')), 'a', false],
  ])('%j on %s: %s', (filter, value, expected) => {
    expect(isValidFilter(filter)).toBe(true);
    expect(matchesTags(filter, value === undefined ? undefined : new Map([['k', value]]))).toBe(expected);
  });

  it.each<[string, FilterNodeValue]>([
    ['empty', NODE],
    ['an unknown comparison', leaf('like', 'a')],
    ['an unknown operation', both('xor', leaf('ex'))],
    ['no value', leaf('eq')],
    ['no key', leaf('eq', 'a', [], '')],
    ['a list and a value', leaf('in', 'a', ['b'])],
    ['no list', leaf('in')],
    ['a value for existence', leaf('ex', 'a')],
    ['and of nothing', both('and')],
    ['not of two', both('not', leaf('ex'), leaf('ex'))],
    ['something wrong inside', both('and', leaf('ex'), both('or', leaf('like', 'a')))],
  ])('is refused: %s', (_name, filter) => expect(isValidFilter(filter)).toBe(false));

  it('that nests without end is a breach of the protocol, not a full stack', () => {
    const { connect } = createEngine({
      channel: { namespaces: { plain: { allowSubscribeForClient: true, allowTagsFilter: true } } },
    });
    const nest = (depth: number) =>
      `${'{"op":"not","nodes":['.repeat(depth)}{"key":"k","cmp":"ex"}${']}'.repeat(depth)}`;
    const subscribe = (depth: number) => {
      const client = connect();
      const replies = client.send(`{"id":2,"subscribe":{"channel":"plain:1","tf":${nest(depth)}}}`);
      return [replies, client.peer.closed?.code];
    };
    expect(subscribe(20)).toEqual([['{"id":2,"subscribe":{}}'], undefined]);
    expect(subscribe(2_900)).toEqual([[], 3501]);
  });
});
