import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { patched } from '../model/subject.ts';
import { REALTIME_SOURCE } from '../test/bundle.ts';
import { converge } from './converge.ts';
import { MUTANTS } from './mutants.ts';

/** `pnpm converge --seeds 1000` runs more, and `--seed N` one again. */
const SEEDS = [1, 2, 3, 4, 5];

describe('under random writes and faults, no tab calls live what is not, and every tab ends with what the database holds', () => {
  // Side by side: they mostly wait, each on servers and ports of its own.
  it.concurrent.for(SEEDS)('seed %i', { timeout: 240_000 }, async (seed, { expect }) => {
    const result = await converge({ seed, steps: 80, endings: 1 });
    process.stderr.write(
      `converge seed ${seed}: ${result.commits} commits, ${result.faults} faults, converged after ${result.convergedAfterMs} ms\n`,
    );
    expect(result.differences.join('\n')).toBe('');
    expect(result.commits).toBeGreaterThan(20);
    expect(result.faults).toBeGreaterThan(10);
  });
});

/** That each is noticed is shown by `pnpm converge --mutants`. */
it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'the mutant "%s" still fits the code',
  async (_name, { patches }) => {
    for (const { file } of patches) {
      const source = await readFile(`${REALTIME_SOURCE}${file}`, 'utf8');
      expect(patched(source, file, patches)).not.toBe(source);
    }
  },
);
