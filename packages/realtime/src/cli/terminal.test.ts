import { expect, it } from 'vitest';
import { createStyle } from './terminal.ts';

it.each([
  ['a terminal', true, {}, '\u001b[31mno\u001b[39m'],
  ['a pipe', false, {}, 'no'],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, 'no'],
  ['a terminal with an empty NO_COLOR, which counts as unset', true, { NO_COLOR: '' }, '\u001b[31mno\u001b[39m'],
  ['a dumb terminal', true, { TERM: 'dumb' }, 'no'],
])('colours on %s', (_, isTerminal, env, expected) => {
  expect(createStyle(isTerminal, env).red('no')).toBe(expected);
});
