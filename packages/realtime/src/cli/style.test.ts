import { expect, it } from 'vitest';
import { createStyle } from './style.ts';

const RED = '\u001b[31mno\u001b[39m';

it.each([
  ['a terminal', true, {}, RED],
  ['a pipe', false, {}, 'no'],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, 'no'],
  ['a terminal with an empty NO_COLOR, which counts as unset', true, { NO_COLOR: '' }, RED],
  ['a dumb terminal', true, { TERM: 'dumb' }, 'no'],
  ['a pipe with FORCE_COLOR', false, { FORCE_COLOR: '1' }, RED],
  ['a pipe with an empty FORCE_COLOR, which counts as unset', false, { FORCE_COLOR: '' }, 'no'],
  ['a terminal with FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, 'no'],
  ['a dumb terminal with FORCE_COLOR', true, { TERM: 'dumb', FORCE_COLOR: '1' }, RED],
  ['both, of which NO_COLOR wins', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, 'no'],
])('colours on %s', (_, isTerminal, env, expected) => {
  expect(createStyle(isTerminal, env).red('no')).toBe(expected);
});
