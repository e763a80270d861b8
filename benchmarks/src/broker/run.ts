import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../measure/machine.ts';
import { median, spread } from '../measure/statistics.ts';
import type { BrokerCase, Figures, Goal } from './case.ts';
import { BROKER_CASES } from './cases.ts';
import { startTarget, type TargetName, versionOf } from './targets.ts';

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));
const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

export interface BrokerBenchOptions {
  /** @default 6 */
  readonly rounds: number;
  /** Names of cases; all where empty. */
  readonly only: readonly string[];
  /** @default those that can be had */
  readonly targets?: readonly TargetName[];
}

type Rounds = Partial<Record<TargetName, Figures[]>>;

/** Runs every case against every target, targets alternating over the rounds, and prints medians, ratios and spread. */
export async function benchBroker({ rounds, only, targets: wanted }: BrokerBenchOptions): Promise<void> {
  const hasCentrifugo = Boolean(process.env.CENTRIFUGO_BIN);
  const cases = BROKER_CASES.filter(({ name }) => only.length === 0 || only.includes(name));
  if (!hasCentrifugo) process.stdout.write('centrifugo: not measured (set CENTRIFUGO_BIN to compare)\n');
  const report: Record<string, unknown> = {};
  for (const benchmark of cases) {
    const targets: TargetName[] = ['embedded'];
    if (benchmark.onForwarder) targets.push('forwarder');
    if (hasCentrifugo) targets.push('centrifugo');
    if (wanted) targets.splice(0, targets.length, ...targets.filter((name) => wanted.includes(name)));
    const results: Rounds = {};
    for (let round = 0; round < rounds; round++) {
      // The order is turned round by round, so that no target always runs on a warmed or a tired machine.
      for (const name of round % 2 ? [...targets].reverse() : targets) {
        const figures = await measure(benchmark.name, name);
        results[name] ??= [];
        results[name].push(figures);
      }
      process.stderr.write('.');
    }
    process.stderr.write('\n');
    report[benchmark.name] = { title: benchmark.title, ...print(benchmark, results), rounds: results };
  }
  const versions = Object.fromEntries(
    (['embedded', 'forwarder', ...(hasCentrifugo ? ['centrifugo'] : [])] as TargetName[]).map((name) => [
      name,
      versionOf(name),
    ]),
  );
  mkdirSync(RESULTS, { recursive: true });
  const file = `${RESULTS}broker.json`;
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), versions, rounds, cases: report }, null, 2)}\n`);
  process.stdout.write(`\nwritten: benchmarks/results/broker.json\n`);
}

async function measure(caseName: string, target: TargetName): Promise<Figures> {
  const server = await startTarget(target);
  const generator = fork(GENERATOR, { execArgv: ['--import', 'tsx'] });
  try {
    generator.send({ name: caseName, target: { port: server.port, pid: server.pid } });
    const [answer] = (await once(generator, 'message')) as [{ figures?: Figures; failure?: string }];
    if (!answer.figures) throw new Error(`${caseName} on ${target}: ${answer.failure}`);
    return answer.figures;
  } finally {
    generator.kill('SIGKILL');
    await server.stop();
  }
}

function print(benchmark: BrokerCase, results: Rounds) {
  process.stdout.write(`\n${benchmark.title}\n`);
  const medians: Record<string, Record<string, number>> = {};
  for (const [target, rounds] of Object.entries(results) as [TargetName, Figures[]][]) {
    const row: Record<string, number> = {};
    const cells = Object.keys(rounds[0]!).map((figure) => {
      const values = spread(rounds.map((one) => one[figure]!));
      row[figure] = values.median;
      return `${figure} ${format(values.median)} (${format(values.min)}..${format(values.max)})`;
    });
    medians[target] = row;
    process.stdout.write(`  ${target.padEnd(11)} ${cells.join('  ')}\n`);
  }
  const goals = benchmark.goals.map((goal) => judge(goal, results));
  for (const line of goals) process.stdout.write(`  ${line}\n`);
  return { medians, goals };
}

function judge(goal: Goal, { embedded = [], centrifugo }: Rounds): string {
  const own = median(embedded.map((figures) => figures[goal.figure]!));
  if ('mustAtMost' in goal) {
    const verdict = own <= goal.aimAtMost ? 'aim reached' : own <= goal.mustAtMost ? 'must reached' : 'MISSED';
    return `${goal.figure}: ${format(own)}, must ≤ ${goal.mustAtMost}, aim ≤ ${goal.aimAtMost}: ${verdict}`;
  }
  if (!centrifugo || !embedded.length) return `${goal.figure}: ratio to Centrifugo not measured`;
  const ratios = embedded.map((figures, round) => {
    const [a, b] = [figures[goal.figure]!, centrifugo[round]![goal.figure]!];
    return goal.better === 'higher' ? a / b : b / a;
  });
  const { median: ratio, min, max } = spread(ratios);
  const verdict = ratio >= goal.aimRatio ? 'aim reached' : ratio >= goal.mustRatio ? 'must reached' : 'MISSED';
  return `${goal.figure}: ${format(ratio)} × Centrifugo (${format(min)}..${format(max)}), must ${goal.mustRatio}, aim ${goal.aimRatio}: ${verdict}`;
}

function format(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}
