import { cac } from 'cac';
import { benchBroker } from './broker/run.ts';
import { benchScaling } from './broker/scaling.ts';
import type { TargetName } from './broker/targets.ts';
import { benchCapacity } from './capacity/run.ts';
import { benchClient } from './client/run.ts';
import { benchPublish } from './publish/run.ts';
import { benchRelay } from './relay/run.ts';

interface BrokerFlags {
  readonly rounds: number;
  readonly only: string;
  readonly targets: string;
  readonly scaling?: boolean;
}

const cli = cac('pnpm bench');
cli
  .command('broker', 'The embedded broker beside Centrifugo (CENTRIFUGO_BIN) and a bare ws forwarder')
  .option('--rounds <count>', 'Rounds per case', { default: 6 })
  .option('--only <names>', 'Cases, separated by commas', { default: '' })
  .option('--targets <names>', 'Targets, separated by commas: embedded, forwarder, centrifugo', { default: '' })
  .option('--scaling', 'How cost grows with subscribers and channels, as a plot')
  .action(({ rounds, only, targets, scaling }: BrokerFlags) =>
    scaling
      ? benchScaling({ rounds: Number(rounds) })
      : benchBroker({
          rounds: Number(rounds),
          only: only.split(',').filter(Boolean),
          ...(targets && { targets: targets.split(',') as TargetName[] }),
        }),
  );
cli
  .command('publish', 'realtime.publish beside a bare keep-alive fetch to the same API')
  .option('--rounds <count>', 'Rounds', { default: 10 })
  .action(({ rounds }: { rounds: number }) => benchPublish({ rounds: Number(rounds) }));
cli
  .command('relay', 'Rows that the outbox relay announces per second, and the time from a commit to its publication')
  .option('--rounds <count>', 'Rounds', { default: 5 })
  .action(({ rounds }: { rounds: number }) => benchRelay({ rounds: Number(rounds) }));
cli.command('client', 'Bundle sizes, work per publication, refetches and herds in the browser').action(benchClient);
cli
  .command('capacity', 'How hard simulated tabs come after publications, restarts and deploys')
  .option('--tabs <count>', 'Tabs', { default: 10_000 })
  .option('--seed <number>', 'Of the random slots and pauses', { default: 1 })
  .action(({ tabs, seed }: { tabs: number; seed: number }) =>
    benchCapacity({ tabs: Number(tabs), seed: Number(seed) }),
  );
cli.help();
cli.parse(process.argv, { run: false });
if (!cli.matchedCommand && !cli.options.help) cli.outputHelp();
await cli.runMatchedCommand();
