import { seededRandom } from '../src/testing/seeded-random.ts';
import { startAppServer } from './app-server.ts';
import { type BrokerEngine, BrokerProcess } from './broker-process.ts';
import { Database } from './database.ts';
import { ending } from './ending.ts';
import { heal, storm } from './storm.ts';
import type { Shown } from './tab.ts';
import { Witness } from './witness.ts';
import { pause, TOPICS, World } from './world.ts';

export interface ConvergeOptions {
  readonly seed: number;
  /** @default 20 */
  readonly tabs?: number;
  /** Random events before the network heals. @default 100 */
  readonly steps?: number;
  /** Times that the last writes fall into faults. @default 2 */
  readonly endings?: number;
  /** @default 'embedded' */
  readonly engine?: BrokerEngine;
  /** How long the tabs may take, each time, once everything works again. @default 45_000 */
  readonly limitMs?: number;
}

export interface ConvergeResult {
  readonly seed: number;
  readonly commits: number;
  readonly faults: number;
  /** The longest time from the last fault healed to every tab live and equal to the database. */
  readonly convergedAfterMs: number;
  /** Empty if every mounted query shows the truth and says so, and none said so while it did not. */
  readonly differences: readonly string[];
  /** What was not well yet after `LATE_MS` of quiet, where that happened. */
  readonly late: readonly string[];
}

const LATE_MS = 10_000;

/**
 * The whole stack for real: tRPC server, broker in a process of its own, tabs with real query clients behind bad networks. First a storm of random writes and
 * faults; then, several times, every tab gets into some predicament, and the last writes happen in it. Each time the network heals, nothing more is written, and
 * every mounted query must become live and equal to the database. All along, what is called live is watched. Which call meets which fault still depends on the
 * machine: a seed repeats the events, not their timing.
 */
export async function converge(options: ConvergeOptions): Promise<ConvergeResult> {
  const { seed, tabs = 20, steps = 100, endings = 2, engine = 'embedded', limitMs = 45_000 } = options;
  const database = new Database();
  const broker = await BrokerProcess.start(engine);
  const server = await startAppServer({ database, broker, random: seededRandom(seed + 1), maxLatencyMs: 30 });
  const world = new World({ random: seededRandom(seed), database, broker, server });
  for (let at = 0; at < tabs; at++) world.tabs.push(await world.open());
  const witness = new Witness(database, TOPICS, () => world.tabs);
  let faults = 0;
  let convergedAfterMs = 0;
  const late: string[] = [];
  try {
    for (const tab of world.tabs) world.mountSomething(tab);
    for (let round = 0; round <= endings; round++) {
      if (round === 0) {
        faults += await storm(world, steps);
        await heal(world);
      } else {
        faults += tabs;
        await ending(world);
      }
      await Promise.all(world.running);
      const healedAtMs = performance.now();
      const differences = await quiet(world, witness, limitMs, late);
      convergedAfterMs = Math.max(convergedAfterMs, Math.round(performance.now() - healedAtMs));
      if (differences.length > 0)
        return {
          seed,
          commits: database.commits,
          faults,
          convergedAfterMs,
          differences: [`round ${round}:`, ...differences],
          late,
        };
    }
    return { seed, commits: database.commits, faults, convergedAfterMs, differences: [], late };
  } finally {
    witness.stop();
    await Promise.all(world.tabs.map((tab) => tab.close()));
    await server.close();
    await broker.kill();
  }
}

/** Waits until all is well, or nothing more can be hoped for. Returns what is not as it should be. */
async function quiet(
  { tabs, database }: World,
  { lies }: Witness,
  limitMs: number,
  late: string[],
): Promise<readonly string[]> {
  const startedMs = performance.now();
  const proven = new WeakSet<Shown>();
  let isLate = false;
  for (let look = 1; ; look++) {
    await pause(50);
    for (const tab of tabs) tab.tryAgain(look % 60 === 0);
    const differences = tabs.flatMap((tab) => tab.differences(database, proven));
    if (lies.length > 0) return [...lies, ...differences];
    const tookMs = performance.now() - startedMs;
    if (differences.length === 0 || tookMs > limitMs) return differences;
    if (tookMs > LATE_MS && !isLate) late.push(...differences);
    isLate = tookMs > LATE_MS;
  }
}
