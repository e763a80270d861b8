/**
 * Plays random programs on a real Centrifugo and keeps them with what it did, for machines that have none:
 * `CENTRIFUGO_BIN=… pnpm --filter conformance record-exchanges`. Each is played twice; what came out differently is left out.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { callApi } from '../clients/api-client.ts';
import { centrifugoDriver, findCentrifugo } from '../drivers/centrifugo.ts';
import { ENVIRONMENTS } from '../environments.ts';
import { type Observation, Player } from './play.ts';
import { type Program, program } from './program.ts';

/** What `recordings/exchanges.json` holds. */
export interface Recordings {
  /** The version of the Centrifugo that they are of. */
  readonly centrifugo: string;
  readonly seed: number;
  readonly exchanges: readonly { readonly program: Program; readonly observation: Observation }[];
}

const COUNT = 150;
/** Time for closes, which have no moment of their own. */
const SETTLE_MS = 200;

async function observe(node: string, steps: Program, unique: string): Promise<Observation> {
  const player = new Player(node, unique);
  await player.play(steps);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const observation = await player.observe();
  player.end();
  return JSON.parse(JSON.stringify(observation)) as Observation;
}

const source = findCentrifugo();
if (!source) {
  process.stderr.write('record-exchanges: needs a real Centrifugo\n');
  process.exit(1);
}
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const server = await centrifugoDriver(source).start(ENVIRONMENTS.standard);
const [node] = server.nodes;
const { body } = await callApi(node, 'info', {});
const centrifugo = (body.result as { nodes: { version: string }[] }).nodes[0]!.version;
const exchanges: { program: Program; observation: Observation }[] = [];
for (const [index, steps] of fc.sample(program, { seed, numRuns: COUNT }).entries()) {
  const observation = await observe(node, steps, `r${index}x`);
  const again = await observe(node, steps, `r${index}y`);
  if (isDeepStrictEqual(observation, again)) exchanges.push({ program: steps, observation });
}
await server.close();
const recordings: Recordings = { centrifugo, seed, exchanges };
writeFileSync(
  new URL('../recordings/exchanges.json', import.meta.url),
  `{"centrifugo":${JSON.stringify(centrifugo)},"seed":${seed},"exchanges":[\n${exchanges.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`,
);
process.stdout.write(`${recordings.exchanges.length} of ${COUNT} programs recorded of Centrifugo ${centrifugo}\n`);
