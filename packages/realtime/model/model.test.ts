import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { formatSteps, type KeptRun, parseSteps, violationOf } from './kept-run.ts';
import { MUTANTS, TIMED_MUTANTS } from './mutants.ts';
import { LARGE, SCENARIOS } from './scenarios.ts';
import { search } from './search.ts';
import { loadSubject, patched } from './subject.ts';
import { allowedMs, longestWaitMs, PRESSURES, RUN_MS } from './timed.ts';
import { walk } from './walk.ts';

// Work, not waiting: on a busy machine it takes longer.
vi.setConfig({ testTimeout: 120_000 });

const subject = await loadSubject();
const kept: KeptRun[] = JSON.parse(await readFile(new URL('./shortest-runs.json', import.meta.url), 'utf8'));

/** Distinct states per scenario in this bounded run; `pnpm model` goes on. */
const MAX_STATES = 3_000;
const WALKS = 300;

describe('the real code, in every order of events', () => {
  let states = 0;
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
    const result = search(subject, scenario, MAX_STATES);
    states += result.states;
    expect(result.violation && { ...result.violation, steps: formatSteps(result.violation.steps) }).toBeNull();
  });

  it('visits at least 100,000 distinct states here', () => {
    console.log(`model: ${states} distinct states in ${SCENARIOS.length} scenarios`);
    expect(states).toBeGreaterThanOrEqual(100_000);
  });

  it(`holds in ${WALKS} random walks through larger worlds`, () => {
    const seed = Number(process.env.MODEL_SEED ?? 1);
    let quiet = 0;
    for (let n = 0; n < WALKS; n++) {
      const scenario = LARGE[n % LARGE.length]!;
      const result = walk(subject, scenario, seed + n);
      const { violation } = result;
      if (result.quiet) quiet++;
      expect(
        violation && { scenario: scenario.name, seed: seed + n, ...violation, steps: formatSteps(violation.steps) },
      ).toBeNull();
    }
    console.log(`model: ${WALKS} walks from seed ${seed}, ${quiet} came to rest`);
    expect(quiet).toBe(WALKS);
  });
});

describe('without a rule', () => {
  it.each(MUTANTS.map((mutant) => [mutant.row, mutant.rule, mutant] as const))(
    'row %i, %s: the kept run breaks an invariant, and not in the real code',
    async (row, rule, mutant) => {
      const run = kept.find((other) => other.row === row && other.rule === rule)!;
      const scenario = [...SCENARIOS, ...LARGE].find(({ name }) => name === run.scenario)!;
      const steps = parseSteps(run.steps);
      expect(run.breaks).toBe(mutant.breaks);
      expect(violationOf(await loadSubject(mutant.patches), scenario, steps)?.invariant).toBe(mutant.breaks);
      expect(violationOf(subject, scenario, steps)).toBeNull();
    },
  );

  it('docs/freshness-decisions.md lists every rule with what it guards and its shortest run', async () => {
    const page = await readFile(new URL('../../../docs/freshness-decisions.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| (\d+) \| (.+?) \| (I\d) \| (\d+) \|/gm)].map((cells) => cells.slice(1, 5));
    expect(listed).toEqual(kept.map((run) => [String(run.row), run.rule, run.breaks, String(run.steps.length)]));
  });

  it('every kept run belongs to a rule', () => {
    expect(kept.map(({ row, rule }) => `${row} ${rule}`)).toEqual(MUTANTS.map(({ row, rule }) => `${row} ${rule}`));
  });
});

describe('new data under steady pushes (I4)', () => {
  it('is on screen within window, two latencies and the deferral', () => {
    for (const pressure of PRESSURES)
      expect(longestWaitMs(subject, pressure), JSON.stringify(pressure)).toBeLessThanOrEqual(allowedMs(pressure));
  });

  it.each(TIMED_MUTANTS.map((mutant) => [mutant.row, mutant.rule, mutant] as const))(
    'row %i, %s: without it something waits for as long as the pushes last',
    async (_row, _rule, mutant) => {
      const without = await loadSubject(mutant.patches);
      expect(PRESSURES.some((pressure) => longestWaitMs(without, pressure) > 0.8 * RUN_MS)).toBe(true);
    },
  );
});

describe('a patch', () => {
  it.each(['absent', 'a'])('that does not match exactly once is refused: %s', (find) => {
    const patch = { file: 'core/freshness.ts', find, replace: '' } as const;
    expect(() => patched('a, a', 'core/freshness.ts', [patch])).toThrow('times in core/freshness.ts, not once');
  });
});
