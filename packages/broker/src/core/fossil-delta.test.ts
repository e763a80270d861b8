import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFossilDelta } from './fossil-delta.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

/** Makes the target of a source and a delta, as the format says. */
function apply(source: string, delta: string): string {
  let at = 0;
  const number = () => {
    let value = 0;
    for (; DIGITS.includes(delta[at]!); at++) value = value * 64 + DIGITS.indexOf(delta[at]!);
    return value;
  };
  const length = number();
  expect(delta[at++]).toBe('\n');
  let target = '';
  for (;;) {
    const value = number();
    const command = delta[at++];
    if (command === ':') {
      target += delta.slice(at, at + value);
      at += value;
    } else if (command === '@') {
      const offset = number();
      expect(delta[at++]).toBe(',');
      target += source.slice(offset, offset + value);
    } else {
      expect(command).toBe(';');
      expect(at).toBe(delta.length);
      expect(target.length).toBe(length);
      return target;
    }
  }
}

describe('a delta', () => {
  const TEXT = 'some longer text that stays the same all the time';

  // Seen on Centrifugo 6.9.1.
  it.each([
    [`{"a":1,"text":"${TEXT}"}`, `{"a":2,"text":"${TEXT}"}`, '12\n6:{"a":2x@6,sb4g7;'],
    [`{"a":3,"text":"${TEXT}"}`, `{"a":4,"text":"${TEXT}"}`, '12\n6:{"a":4x@6,sb_g7;'],
  ])('of %s and %s is %s', (source, target, delta) => expect(createFossilDelta(source, target)).toBe(delta));

  it('makes the target of the source, whatever they are', () => {
    const bytes = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      maxLength: 200,
    });
    // Few different bytes, so that there is something to copy.
    const alike = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(bytes, alike), fc.oneof(bytes, alike), bytes, (head, tail, change) => {
        for (const [source, target] of [
          [head, tail],
          [head + tail, head + change + tail],
          [head + change + tail, tail + head],
          [head.repeat(5), tail + head.repeat(3)],
        ] as const)
          expect(apply(source, createFossilDelta(source, target))).toBe(target);
      }),
    );
  });

  it('is short where little changes, and done in time where much is alike', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n');
    expect(createFossilDelta(text, text.replace('line 500', 'line five hundred')).length).toBeLessThan(60);
    const same = 'a'.repeat(60_000);
    expect(apply(same, createFossilDelta(same, `${same}b`))).toBe(`${same}b`);
  });
});
