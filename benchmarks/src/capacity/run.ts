import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../measure/machine.ts';
import { type Outcome, SCENARIOS, simulate } from './simulate.ts';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** How hard tabs come, in virtual time: the machine does not matter. */
export async function benchCapacity({ tabs, seed }: { tabs: number; seed: number }): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const scenario of SCENARIOS) {
    const outcome = await simulate(scenario, tabs, seed);
    outcomes.push(outcome);
    const { requests, peakPerSecond, halfMs, lastMs } = outcome;
    process.stdout.write(
      `${scenario.name}\n  ${requests} requests, at most ${peakPerSecond} in a second, half after ${halfMs} ms, the last after ${lastMs} ms\n`,
    );
  }
  mkdirSync(RESULTS, { recursive: true });
  const result = { machine: describeMachine(), tabs, seed, outcomes };
  writeFileSync(`${RESULTS}capacity.json`, `${JSON.stringify(result, null, 2)}\n`);
}
