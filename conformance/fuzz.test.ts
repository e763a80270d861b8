import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { embeddedDriver } from './drivers/embedded.ts';
import { ENVIRONMENTS } from './environments.ts';
import { compareServers, compareWithRecording } from './fuzz/compare.ts';
import { program } from './fuzz/program.ts';
import type { Recordings } from './fuzz/record-exchanges.ts';

const source = findCentrifugo();
/** Enough to notice a slip in what was right before; `pnpm fuzz` is for finding what nobody noticed yet. */
const NUM_RUNS = 40;
/** Programs mostly wait, so several are played side by side; each on a server of its own, because calls without a user are about all anonymous clients. */
const AT_A_TIME = 6;

/** A running server of yours is spared: what random programs do to it is not for others to bear. */
const playable = source?.kind === 'url' ? undefined : source;

function compareBoth(real: NonNullable<typeof playable>): void {
  test('they do the same', { timeout: 120_000 }, async () => {
    const server = await centrifugoDriver(real).start(ENVIRONMENTS.standard);
    const embedded = await embeddedDriver().start(ENVIRONMENTS.standard);
    const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
    process.stdout.write(`fuzz: seed ${seed} (SEED=${seed} repeats it)\n`);
    let played = 0;
    try {
      await fc.assert(
        fc.asyncProperty(program, async (steps) => {
          const unique = `t${seed.toString(36)}x${(played++).toString(36)}`;
          expect(await compareServers(steps, server.nodes[0], embedded.nodes[0], unique)).toBeUndefined();
        }),
        { seed, numRuns: NUM_RUNS, interruptAfterTimeLimit: 60_000 },
      );
    } finally {
      await Promise.all([server.close(), embedded.close()]);
    }
  });
}

function compareWithRecordings(): void {
  const { centrifugo, exchanges } = JSON.parse(
    readFileSync(new URL('./recordings/exchanges.json', import.meta.url), 'utf8'),
  ) as Recordings;

  test(`the embedded broker does what Centrifugo ${centrifugo} did`, { timeout: 120_000 }, async () => {
    const differences: string[] = [];
    const waiting = [...exchanges.entries()];
    const playAll = async (): Promise<void> => {
      const embedded = await embeddedDriver().start(ENVIRONMENTS.standard);
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, { program: steps, observation }] = next;
        const unique = `p${index}r${process.pid}`;
        const difference = await compareWithRecording(steps, observation, embedded.nodes[0], unique);
        if (difference) differences.push(`program ${index}: ${difference}`);
      }
      await embedded.close();
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, playAll));
    expect(differences).toEqual([]);
  });
}

if (playable) describe('random programs on both servers', () => compareBoth(playable));
describe('programs recorded of a real Centrifugo', compareWithRecordings);
