import { cac } from 'cac';
import { hasLane } from '../../../test/lanes.ts';
import { findPostgres, startPostgres } from '../../../test/postgres.ts';
import { kill } from './kill.ts';
import { describeKills } from './kill-result.ts';
import { buildPrograms } from './killed-process.ts';
import { FAULTS, type Fault } from './settings.ts';

const cli = cac('pnpm kill');
cli
  .command(
    '',
    'Kills app, relays and broker while transactions commit and roll back; nothing committed may go unannounced',
  )
  .option('--rounds <count>', 'How many rounds', { default: 20 })
  .option('--seed <number>', 'Whence kills and transactions are drawn', { default: 1 })
  .option('--fault <name>', `A mistake to build in, which must be noticed: ${FAULTS.join(', ')}`)
  .action(run);
cli.help();
cli.parse();

async function run({ rounds, seed, fault }: { rounds: number; seed: number; fault?: Fault }): Promise<void> {
  if (fault !== undefined && !FAULTS.includes(fault))
    throw new Error(`Unknown fault ${fault}. Known: ${FAULTS.join(', ')}.`);
  const folder = findPostgres();
  if (!hasLane('postgres', folder)) {
    process.exitCode = 1;
    return;
  }
  const [cluster, programs] = await Promise.all([startPostgres(folder!), buildPrograms()]);
  try {
    const result = await kill({
      seed,
      rounds,
      databaseUrl: cluster.url,
      programs,
      fault: fault ?? null,
      ...(fault && { limitMs: 5000 }),
      onRound: (soFar) => {
        if (soFar.rounds % 50 === 0) process.stdout.write(`${describeKills(soFar)}\n`);
      },
    });
    process.stdout.write(`${describeKills(result)}\n`);
    for (const violation of result.violations) process.stdout.write(`VIOLATION ${violation}\n`);
    process.exitCode = result.violations.length > 0 ? 1 : 0;
  } finally {
    await cluster.close();
  }
}
