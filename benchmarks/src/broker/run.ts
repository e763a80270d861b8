import { loadavg } from 'node:os';
import { spread } from '../measure/statistics.ts';
import type { BrokerCase, Figures } from './case.ts';
import { BROKER_CASES } from './cases.ts';
import { format, judge } from './judge.ts';
import { measureOnce } from './measure-once.ts';
import { brokerTables, updateReadme } from './report.ts';
import { availableTargets, type CaseResult, caseResult, mergeResults, type Rounds, resultFile } from './results.ts';
import type { TargetName } from './targets.ts';

export interface BrokerBenchOptions {
  /** @default 6 */
  readonly rounds: number;
  /** Names of cases; all where empty. */
  readonly only: readonly string[];
  /** @default those that can be had */
  readonly targets?: readonly TargetName[];
}

export interface Alternation {
  readonly targets: readonly TargetName[];
  readonly rounds: number;
  readonly measure: (target: TargetName) => Promise<Figures>;
}

/** Measures targets in turns. The order is turned round by round, so that none always runs on a warmed or a tired machine. */
export async function alternate({ targets, rounds, measure }: Alternation): Promise<Rounds> {
  const results: Partial<Record<TargetName, Figures[]>> = {};
  for (let round = 0; round < rounds; round++) {
    for (const target of round % 2 ? [...targets].reverse() : targets) {
      const figures = await measure(target);
      results[target] ??= [];
      results[target].push(figures);
    }
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return results;
}

/** Runs cases against targets, prints medians, ratios and spread, and keeps all rounds in `results/broker.json` and the tables in the README. */
export async function benchBroker({ rounds, only, targets: wanted }: BrokerBenchOptions): Promise<void> {
  const cases = BROKER_CASES.filter(({ name }) => only.length === 0 || only.includes(name));
  const unknown = only.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no case "${unknown.join('", "')}"`);
  const available = availableTargets();
  if (!available.includes('centrifugo'))
    process.stdout.write('centrifugo: not measured (set CENTRIFUGO_BIN to compare)\n');
  const measured: Record<string, CaseResult> = {};
  for (const benchmark of cases) {
    const targets = available.filter(
      (name) => (name !== 'forwarder' || benchmark.onForwarder) && (!wanted || wanted.includes(name)),
    );
    const load = loadavg()[0]!;
    const results = await alternate({ targets, rounds, measure: (target) => measureOnce(benchmark.name, target) });
    print(benchmark, results);
    measured[benchmark.name] = caseResult(benchmark.title, results, load);
  }
  updateReadme('broker', brokerTables(mergeResults(resultFile('broker.json'), measured)));
  process.stdout.write('\nwritten: benchmarks/results/broker.json, benchmarks/README.md\n');
}

function print({ title, goals }: BrokerCase, results: Rounds): void {
  process.stdout.write(`\n${title}\n`);
  for (const [target, rounds] of Object.entries(results)) {
    const cells = Object.keys(rounds[0]!).map((figure) => {
      const { median, min, max } = spread(rounds.map((one) => one[figure]!));
      return `${figure} ${format(median)} (${format(min)}..${format(max)})`;
    });
    process.stdout.write(`  ${target.padEnd(11)} ${cells.join('  ')}\n`);
  }
  for (const goal of goals) {
    const { figure, measured, must, aim, outcome } = judge(goal, results);
    process.stdout.write(`  ${figure}: ${measured}, must ${must}, aim ${aim}: ${outcome}\n`);
  }
}
