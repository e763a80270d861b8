import { cac } from 'cac';
import type { BrokerEngine } from './broker-process.ts';
import { type ConvergeResult, converge } from './converge.ts';
import { loadPatched } from './load.ts';
import { MUTANTS, type Mutant, UNSEEN } from './mutants.ts';

const cli = cac('pnpm converge');
cli
  .command(
    '',
    'Random writes and faults on the real stack; every tab must end equal to the database, and say nothing false',
  )
  .option('--seeds <count>', 'How many seeds, counting up', { default: 5 })
  .option('--seed <number>', 'The first seed', { default: 1 })
  .option('--tabs <count>', 'Tabs per run', { default: 20 })
  .option('--steps <count>', 'Random events in the storm of each run', { default: 100 })
  .option('--endings <count>', 'Times that the last writes fall into faults', { default: 2 })
  .option('--engine <name>', 'embedded or centrifugo (CENTRIFUGO_BIN)', { default: 'embedded' })
  .option('--parallel <count>', 'Runs side by side; they mostly wait', { default: 1 })
  .option('--mutants', 'Take rules out of the code, one at a time: each must be noticed within the seeds')
  .option('--mutant <names>', 'Only these, separated by commas')
  .action((options: Options) => (options.mutants || options.mutant ? runMutants(options) : runSeeds(options)));
cli.help();
cli.parse();

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly tabs: number;
  readonly steps: number;
  readonly endings: number;
  readonly engine: BrokerEngine;
  readonly parallel: number;
  readonly mutants?: boolean;
  readonly mutant?: string;
}

async function runSeeds({ seeds, seed: first, parallel, ...options }: Options): Promise<void> {
  const startedMs = performance.now();
  const results: ConvergeResult[] = [];
  await sideBySide(
    parallel,
    Array.from({ length: seeds }, (_, at) => first + at),
    async (seed) => {
      const result = await converge({ ...options, seed });
      results.push(result);
      const verdict = result.differences.length === 0 ? 'equal' : 'DIFFERENT';
      print(
        `seed ${seed}: ${verdict}, ${result.commits} commits, ${result.faults} faults, converged after ${result.convergedAfterMs} ms`,
      );
      for (const difference of result.differences) print(`  ${difference}`);
      for (const one of result.late) print(`  late: ${one}`);
    },
  );
  const failed = results.filter(({ differences }) => differences.length > 0);
  const sum = (pick: (result: ConvergeResult) => number) => results.reduce((total, one) => total + pick(one), 0);
  print(
    `${seeds - failed.length} of ${seeds} seeds from ${first} equal on ${options.engine}; ${sum(({ commits }) => commits)} commits, ` +
      `${sum(({ faults }) => faults)} faults, slowest ${Math.max(...results.map((one) => one.convergedAfterMs))} ms; ${seconds(startedMs)} s` +
      (failed.length > 0 ? `; DIFFERENT: ${failed.map(({ seed }) => seed).join(', ')}` : ''),
  );
  process.exitCode = failed.length > 0 ? 1 : 0;
}

async function runMutants({ seeds, seed: first, parallel, mutant: only, ...options }: Options): Promise<void> {
  const wanted: readonly Mutant[] = only ? MUTANTS.filter(({ name }) => only.split(',').includes(name)) : MUTANTS;
  if (wanted.length === 0) throw new RangeError(`There is no mutant ${only}.`);
  let unnoticed = 0;
  await sideBySide(parallel, wanted, async ({ name, patches, seed: begin = first }) => {
    const startedMs = performance.now();
    const mutated = await loadPatched(patches);
    for (let seed = begin; seed < begin + seeds; seed++) {
      const { differences } = await mutated.converge({ ...options, seed });
      if (differences.length === 0) continue;
      print(
        `| ${name} | ${seed} | ${differences.slice(0, 2).join(' ').replaceAll(/\s+/g, ' ').slice(0, 160)} | ${seconds(startedMs)} s |`,
      );
      return;
    }
    unnoticed++;
    print(`| ${name} | NOT NOTICED in ${seeds} seeds | | ${seconds(startedMs)} s |`);
  });
  if (!only) for (const { rule, why, guard } of UNSEEN) print(`not to be seen here: ${rule}: ${why} (${guard})`);
  print(`${wanted.length - unnoticed} of ${wanted.length} mutants noticed`);
  process.exitCode = unnoticed > 0 ? 1 : 0;
}

/** Does all of it, so many at a time. */
async function sideBySide<T>(lanes: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
