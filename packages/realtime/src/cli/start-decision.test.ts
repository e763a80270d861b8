import { expect, it } from 'vitest';
import { type PortFinding, type Remembered, START_DECISIONS, type StartDecision } from './start-decision.ts';

const rows: [Remembered, PortFinding, StartDecision][] = [
  ['nothing', 'free', 'start'],
  ['nothing', 'ours', 'running'],
  ['nothing', 'foreign', 'taken'],
  ['running', 'free', 'wait'],
  ['running', 'ours', 'running'],
  ['running', 'foreign', 'other-settings'],
  ['gone', 'free', 'start'],
  ['gone', 'ours', 'running'],
  ['gone', 'foreign', 'taken'],
];

it.each(rows)('remembered %s, on the port %s: %s', (remembered, finding, decision) => {
  expect(START_DECISIONS[remembered][finding]).toBe(decision);
});

it('has a row for every case', () => {
  const cases = Object.entries(START_DECISIONS).flatMap(([a, row]) => Object.keys(row).map((b) => `${a}/${b}`));
  expect(cases.sort()).toEqual(rows.map(([a, b]) => `${a}/${b}`).sort());
});
