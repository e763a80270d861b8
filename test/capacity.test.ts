import { describe, expect, it } from 'vitest';
import capacity from '../benchmarks/results/capacity.json' with { type: 'json' };
import { type Outcome, SCENARIOS, simulate } from '../benchmarks/src/capacity/simulate.ts';
import { readDocument } from './markdown.ts';

const TABS = 200;
const play = (part: string): Promise<Outcome> => simulate(SCENARIOS.find(({ name }) => name.includes(part))!, TABS, 7);

describe('the simulation of many tabs', () => {
  it('sees one request of each after a publication, within its spread', async () => {
    const atOnce = await play('not spread');
    const spread = await play('one publication for all, spread');
    expect([atOnce.requests, spread.requests]).toEqual([TABS, TABS]);
    expect(atOnce.peakRatePer100Ms).toBe(10 * TABS);
    expect(spread.peakRatePer100Ms).toBeLessThan(8 * TABS);
    expect(spread.lastMs).toBeLessThanOrEqual(50 + TABS);
  });

  it('sees one request of each after a restart that lost history, and none after one that kept it', async () => {
    const [atOnce, spread] = [await play('history lost, not spread'), await play('history lost, spread')];
    expect([atOnce.requests, spread.requests]).toEqual([TABS, TABS]);
    expect(spread.lastMs).toBeGreaterThan(atOnce.lastMs);
    expect((await play('nothing missed')).requests).toBe(0);
    expect((await play('one publication missed')).requests).toBe(TABS / 2);
  });
});

describe('docs/capacity.md', () => {
  it('prints what the result file says', () => {
    const page = readDocument('docs/capacity.md');
    const number = new Intl.NumberFormat('en-US');
    for (const { scenario, requests, peakPerSecond } of capacity.outcomes)
      expect(page, scenario).toContain(
        `| ${scenario} | ${number.format(requests)} | ${number.format(peakPerSecond)} |`,
      );
    expect(page).toContain(`${number.format(capacity.tabs)} tabs`);
  });
});
