import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

const NAMES = ['dev', 'down', 'doctor', 'token', 'publish', 'tail', 'info'];

it.each([
  ['docter', 'doctor'],
  ['dcotor', 'doctor'],
  ['doctr', 'doctor'],
  ['ddoctor', 'doctor'],
  ['pub', 'publish'],
  ['inof', 'info'],
  ['tial', 'tail'],
  ['bogus', undefined],
  ['x', undefined],
  ['', undefined],
  ['de', 'dev'],
])('takes %j for %j', (word, name) => {
  expect(nearest(word, NAMES)).toBe(name);
});
