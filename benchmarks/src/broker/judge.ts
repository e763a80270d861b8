import { median, spread } from '../measure/statistics.ts';
import type { Goal } from './case.ts';
import type { Rounds } from './results.ts';

export interface Verdict {
  readonly figure: string;
  /** Median ratio to Centrifugo (above 1 is better than it) with its spread over the rounds, or the absolute figure. */
  readonly measured: string;
  readonly must: string;
  readonly aim: string;
  readonly outcome: 'aim' | 'must' | 'missed' | 'not measured';
}

/** Three digits are more than the noise allows. */
export function format(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

export function judge(goal: Goal, { embedded = [], centrifugo = [] }: Rounds): Verdict {
  const { figure } = goal;
  if ('mustAtMost' in goal) {
    const { mustAtMost, aimAtMost } = goal;
    const limits = { figure, must: `≤ ${mustAtMost}`, aim: `≤ ${aimAtMost}` };
    if (embedded.length === 0) return { ...limits, measured: 'not measured', outcome: 'not measured' };
    const { median: own, min, max } = spread(embedded.map((figures) => figures[figure]!));
    const outcome = own <= aimAtMost ? 'aim' : own <= mustAtMost ? 'must' : 'missed';
    const measured = `${format(own)} (${format(min)} … ${format(max)})`;
    return { ...limits, measured, outcome };
  }
  const { mustRatio, aimRatio, better } = goal;
  const texts = { figure, must: `${mustRatio} ×`, aim: `${aimRatio} ×` };
  if (centrifugo.length === 0 || embedded.length === 0)
    return { ...texts, measured: 'not measured', outcome: 'not measured' };
  const rounds = Math.min(embedded.length, centrifugo.length);
  const ratios = Array.from({ length: rounds }, (_, round) => {
    const [own, other] = [embedded[round]![figure]!, centrifugo[round]![figure]!];
    return better === 'higher' ? own / other : other / own;
  });
  const ratio = median(ratios);
  const outcome = ratio >= aimRatio ? 'aim' : ratio >= mustRatio ? 'must' : 'missed';
  const measured = `${format(ratio)} × (${format(Math.min(...ratios))} … ${format(Math.max(...ratios))})`;
  return { ...texts, measured, outcome };
}
