import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../measure/statistics.ts';
import type { BrokerCase } from './case.ts';
import { BROKER_CASES } from './cases.ts';
import { format, judge } from './judge.ts';
import type { BrokerResults, CaseResult } from './results.ts';
import { TARGETS, type TargetName } from './targets.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const NAMES: Record<TargetName, string> = { embedded: 'embedded', forwarder: 'forwarder', centrifugo: 'Centrifugo' };
const OUTCOMES = { aim: 'aim reached', must: 'reached', missed: '**missed**', 'not measured': 'not measured' };

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** `cpuMicrosPerDelivery` → `CPU µs per delivery` */
function readable(figure: string): string {
  return figure
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase()
    .replace('cpu micros', 'CPU µs')
    .replace(/ ms$/, ', ms')
    .replace('kilobytes', 'KB')
    .replace('per second', '/s')
    .replace(' /s', '/s');
}

function goalRows({ title, goals }: BrokerCase, result: CaseResult | undefined): string[] {
  return goals.map((goal) => {
    const { figure, measured, must, aim, outcome } = judge(goal, result?.rounds ?? {});
    return row([title, readable(figure), measured, must, aim, OUTCOMES[outcome]]);
  });
}

function figureRows({ title, rounds }: CaseResult): string[] {
  const figures = Object.keys(rounds.embedded?.[0] ?? {});
  return figures.map((figure) => {
    const cell = (target: TargetName) => {
      const values = rounds[target]?.map((one) => one[figure]!);
      return values?.length ? format(median(values)) : target === 'centrifugo' ? 'not measured' : '–';
    };
    return row([title, readable(figure), ...TARGETS.map(cell)]);
  });
}

/** The results as Markdown: what was to be reached, and all medians. */
export function brokerTables({ machine, versions, cases }: BrokerResults): string {
  const known = BROKER_CASES.flatMap(({ name }) => cases[name] ?? []);
  const dates = [...new Set(known.map(({ date }) => date))].sort().join(', ');
  const counts = known.map(({ rounds }) => rounds.embedded?.length ?? 0);
  const loads = known.flatMap(({ loadAverage }) => loadAverage ?? []);
  const load = loads.length > 0 ? `, load average before ${Math.min(...loads)} to ${Math.max(...loads)}` : '';
  const rounds = [...new Set([Math.min(...counts), Math.max(...counts)])].join(' to ');
  return [
    `${machine.cores} cores (${machine.cpu}), ${machine.system}, Node ${machine.node}; ${Object.values(versions).join('; ')}. Medians of ${rounds} rounds, ${dates}${load}.`,
    '',
    'Ratios are better than Centrifugo above 1; in parentheses the lowest and the highest round.',
    '',
    row(['case', 'figure', 'embedded', 'must', 'aim', '']),
    row(['---', '---', '---', '---', '---', '---']),
    ...BROKER_CASES.flatMap((benchmark) => goalRows(benchmark, cases[benchmark.name])),
    '',
    'All medians. The generator share is that of one core.',
    '',
    row(['case', 'figure', ...TARGETS.map((name) => NAMES[name])]),
    row(['---', '---', ...TARGETS.map(() => '---:')]),
    ...known.flatMap(figureRows),
  ].join('\n');
}

/** Puts a text between two marks of the README. */
export function updateReadme(mark: string, text: string): void {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [`<!-- ${mark}: written by the benchmark -->`, `<!-- /${mark} -->`];
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`benchmarks/README.md lacks the marks of "${mark}"`);
  writeFileSync(README, `${readme.slice(0, from + begin.length)}\n\n${text}\n\n${readme.slice(to)}`);
}
