import { expect, it } from 'vitest';
import { isSamePosition, parsePosition } from './position.ts';

it.each([[{ epoch: 'a', offset: 0 }], [{ epoch: '', offset: 7 }], [{ epoch: 'a', offset: Number.MAX_SAFE_INTEGER }]])(
  'parses the position %j',
  (position) => {
    expect(parsePosition({ ...position, other: 1 })).toEqual(position);
  },
);

it.each([
  [undefined],
  [null],
  ['a:1'],
  [[]],
  [{}],
  [{ epoch: 'a' }],
  [{ offset: 1 }],
  [{ epoch: 1, offset: 1 }],
  [{ epoch: 'a', offset: '1' }],
  [{ epoch: 'a', offset: -1 }],
  [{ epoch: 'a', offset: 1.5 }],
  [{ epoch: 'a', offset: Number.NaN }],
  [{ epoch: 'a', offset: 2 ** 53 }],
])('takes %j for no position', (value) => {
  expect(parsePosition(value)).toBeNull();
});

it('compares epoch and offset', () => {
  expect(isSamePosition({ epoch: 'a', offset: 1 }, { epoch: 'a', offset: 1 })).toBe(true);
  expect(isSamePosition({ epoch: 'a', offset: 1 }, { epoch: 'b', offset: 1 })).toBe(false);
  expect(isSamePosition({ epoch: 'a', offset: 1 }, { epoch: 'a', offset: 2 })).toBe(false);
});
