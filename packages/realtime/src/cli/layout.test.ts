import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelled, wrap } from './layout.ts';

describe('wrap', () => {
  it('leaves a pipe its one line', () => {
    expect(wrap('a b c', undefined, 0)).toEqual(['a b c']);
  });

  it('keeps every word, in order, and no line wider than the terminal unless one word is', () => {
    const words = fc.array(fc.stringMatching(/^\S{1,40}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 30, max: 120 }),
        fc.integer({ min: 0, max: 6 }),
        (parts, columns, indent) => {
          const lines = wrap(parts.join(' '), columns, indent);
          expect(lines.join(' ')).toBe(parts.join(' '));
          for (const line of lines) expect(line.length <= columns - indent || !line.includes(' ')).toBe(true);
        },
      ),
    );
  });

  it('does not count colours', () => {
    const red = '\u001b[31mred\u001b[39m';
    expect(wrap(`${red} ${red} ${red} ${red} ${red} ${red}`, 24, 0)).toHaveLength(1);
  });
});

it('a text hangs beside its label', () => {
  const text = 'one two three four five six seven eight';
  expect(labelled('Label', text, { labelWidth: 7, columns: 34, paint: (label) => `<${label}>` })).toBe(
    '<Label  > one two three four five\n        six seven eight',
  );
});
