/**
 * The long form: `pnpm fuzz`, with CENTRIFUGO_BIN or a centrifugo on PATH. Plays random programs on a real Centrifugo and on the embedded broker until they
 * differ, or RUNS (default 2000) are over. Prints its seed; `SEED=… pnpm fuzz` repeats it.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { centrifugoDriver, findCentrifugo } from '../drivers/centrifugo.ts';
import { embeddedDriver } from '../drivers/embedded.ts';
import { ENVIRONMENTS } from '../environments.ts';
import { compareServers } from './compare.ts';
import { program } from './program.ts';

const source = findCentrifugo();
if (!source) {
  process.stderr.write(
    'fuzz: needs a real Centrifugo (CENTRIFUGO_TEST_URL, CENTRIFUGO_BIN, centrifugo on PATH, or Docker)\n',
  );
  process.exit(1);
}
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const numRuns = Number(process.env.RUNS ?? 2_000);
process.stdout.write(`fuzz: seed ${seed}, ${numRuns} programs\n`);
const [real, embedded] = await Promise.all([
  centrifugoDriver(source).start(ENVIRONMENTS.standard),
  embeddedDriver().start(ENVIRONMENTS.standard),
]);
let played = 0;
const result = await fc.check(
  fc.asyncProperty(program, async (steps) => {
    const difference = await compareServers(
      steps,
      real.nodes[0],
      embedded.nodes[0],
      `f${seed.toString(36)}${(played++).toString(36)}`,
    );
    if (played % 100 === 0) process.stdout.write(`${played} programs\n`);
    if (difference) throw new Error(difference);
  }),
  {
    seed,
    numRuns,
    ...(process.env.FUZZ_PATH && { path: process.env.FUZZ_PATH }),
    interruptAfterTimeLimit: Number(process.env.LIMIT_MS ?? 3_600_000),
  },
);
if (result.failed) {
  process.stdout.write(`${JSON.stringify(result.counterexample?.[0], undefined, 1)}\n`);
  process.stdout.write(
    `${result.errorInstance instanceof Error ? result.errorInstance.stack : result.errorInstance}\n`,
  );
  process.stdout.write(`fuzz: they differ. Repeat with SEED=${seed} FUZZ_PATH=${result.counterexamplePath}\n`);
} else process.stdout.write(`fuzz: ${played} programs, no difference\n`);
await Promise.all([real.close(), embedded.close()]);
process.exitCode = result.failed ? 1 : 0;
