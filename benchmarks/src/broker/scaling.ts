import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { type Chart, lineCharts } from '../measure/line-charts.ts';
import { median } from '../measure/statistics.ts';
import { format } from './judge.ts';
import { measureOnce } from './measure-once.ts';
import { updateReadme } from './report.ts';
import { availableTargets, type CaseResult, caseResult, mergeResults, resultFile } from './results.ts';
import { alternate } from './run.ts';
import { SWEEPS, type Sweep } from './sweeps.ts';
import { TARGETS, type TargetName } from './targets.ts';

const NAMES: Record<TargetName, string> = {
  embedded: 'embedded broker',
  centrifugo: 'Centrifugo',
  forwarder: 'bare ws forwarder',
};
const PLOTTED: readonly TargetName[] = ['embedded', 'centrifugo', 'forwarder'];
const FIGURES = [
  ['deliveriesPerSecond', 'deliveries per second'],
  ['cpuMicrosPerDelivery', 'CPU µs per delivery'],
] as const;

const PLOT =
  '![Deliveries per second and CPU per delivery, by subscribers of a channel and by channels](results/broker-scaling.svg)';

type Results = Readonly<Record<string, CaseResult>>;

function key({ name }: Sweep, size: number): string {
  return `${name}-${size}`;
}

/** Measures how cost grows with work, and draws it: `results/broker-scaling.json` and `.svg`. */
export async function benchScaling({ rounds }: { readonly rounds: number }): Promise<void> {
  const measured: Record<string, CaseResult> = {};
  for (const sweep of SWEEPS)
    for (const size of sweep.sizes) {
      const title = `${sweep.title}, ${size} ${sweep.sizeLabel}`;
      const load = loadavg()[0]!;
      const results = await alternate({
        targets: availableTargets(),
        rounds,
        measure: (target) => measureOnce(sweep.name, target, size),
      });
      measured[key(sweep, size)] = caseResult(title, results, load);
      const cells = TARGETS.flatMap((target) => {
        const all = results[target];
        if (!all) return [];
        const of = (figure: string) => format(median(all.map((one) => one[figure]!)));
        return [`${target} ${of('deliveriesPerSecond')}/s ${of('cpuMicrosPerDelivery')} µs, faults ${of('faults')}`];
      });
      process.stdout.write(`${title}: ${cells.join('; ')}\n`);
    }
  const { cases } = mergeResults(resultFile('broker-scaling.json'), measured);
  writeFileSync(resultFile('broker-scaling.svg'), lineCharts(charts(cases)));
  updateReadme('broker scaling', PLOT);
  process.stdout.write('\nwritten: benchmarks/results/broker-scaling.json, .svg and benchmarks/README.md\n');
}

function charts(cases: Results): Chart[] {
  return SWEEPS.flatMap((sweep) =>
    FIGURES.map(([figure, label]) => ({
      title: `${label}, ${sweep.title}`,
      xLabel: sweep.sizeLabel,
      series: PLOTTED.flatMap((target) => {
        const points = sweep.sizes.flatMap((size) => {
          const all = cases[key(sweep, size)]?.rounds[target];
          return all ? [[size, median(all.map((one) => one[figure]!))] as const] : [];
        });
        return points.length > 0 ? [{ name: NAMES[target], points }] : [];
      }),
    })),
  );
}
