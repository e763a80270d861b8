import { describe, it } from 'vitest';
import { converge } from './converge.ts';

/** `pnpm converge --seeds 1000` runs more, and `--seed N` one again. */
const SEEDS = [1, 2, 3, 4, 5];

describe('after random writes and faults, every tab shows what the database holds, and says so', () => {
  // Side by side: they mostly wait, each on servers and ports of its own.
  it.concurrent.for(SEEDS)('seed %i', { timeout: 120_000 }, async (seed, { expect }) => {
    const result = await converge({ seed });
    process.stderr.write(
      `converge seed ${seed}: ${result.commits} commits, ${result.faults} faults, converged after ${result.convergedAfterMs} ms\n`,
    );
    expect(result.differences.join('\n')).toBe('');
    expect(result.commits).toBeGreaterThan(20);
    expect(result.faults).toBeGreaterThan(10);
  });
});
