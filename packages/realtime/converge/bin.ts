import { cac } from 'cac';
import type { BrokerEngine } from './broker-process.ts';
import { converge } from './converge.ts';

const cli = cac('pnpm converge');
cli
  .command('', 'Random writes and faults on the real stack; at the end every tab must equal the database')
  .option('--seeds <count>', 'How many seeds, counting up', { default: 5 })
  .option('--seed <number>', 'The first seed', { default: 1 })
  .option('--tabs <count>', 'Tabs per run', { default: 20 })
  .option('--steps <count>', 'Events per run', { default: 200 })
  .option('--engine <name>', 'embedded or centrifugo (CENTRIFUGO_BIN)', { default: 'embedded' })
  .action(run);
cli.help();
cli.parse();

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly tabs: number;
  readonly steps: number;
  readonly engine: BrokerEngine;
}

async function run({ seeds, seed: first, tabs, steps, engine }: Options): Promise<void> {
  let failed = 0;
  let commits = 0;
  let faults = 0;
  let slowestMs = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await converge({ seed, tabs, steps, engine });
    commits += result.commits;
    faults += result.faults;
    slowestMs = Math.max(slowestMs, result.convergedAfterMs);
    const verdict = result.differences.length === 0 ? 'equal' : 'DIFFERENT';
    process.stdout.write(
      `seed ${seed}: ${verdict}, ${result.commits} commits, ${result.faults} faults, converged after ${result.convergedAfterMs} ms\n`,
    );
    for (const difference of result.differences) process.stdout.write(`  ${difference}\n`);
    if (result.differences.length > 0) failed++;
  }
  process.stdout.write(
    `${seeds - failed} of ${seeds} seeds equal on ${engine}; ${commits} commits, ${faults} faults, slowest ${slowestMs} ms\n`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}
