import { checkQuiet } from './invariants.ts';
import type { Violation } from './oracle.ts';
import { possibleSteps } from './possible-steps.ts';
import type { Scenario } from './scenario.ts';
import { decodeStep, encodeStep, isProgress, type Step, type StepKind } from './step.ts';
import type { Subject } from './subject.ts';
import { World } from './world.ts';

/** The shortest run that shows what a rule is for, as it is kept in `shortest-runs.json`. */
export interface KeptRun {
  readonly row: number;
  readonly rule: string;
  readonly breaks: Violation['invariant'];
  readonly scenario: string;
  readonly text: string;
  readonly steps: readonly string[];
}

/** Steps as words: what happens, then tab (or broker) and item where they are not the first. */
export function formatSteps(codes: readonly number[]): string[] {
  return codes.map(decodeStep).map(({ do: kind, tab, item }) => [kind, ...(tab || item ? [tab, item] : [])].join(' '));
}

export function parseSteps(words: readonly string[]): Step[] {
  return words.map((word) => {
    const [kind, tab = '0', item = '0'] = word.split(' ');
    return { do: kind as StepKind, tab: Number(tab), item: Number(item) };
  });
}

/** Takes the steps as far as they are possible, and returns what breaks. */
export function violationOf(subject: Subject, scenario: Scenario, steps: readonly Step[]): Violation | null {
  const world = new World(subject, scenario);
  for (const step of steps) {
    if (!possibleSteps(world).some((possible) => encodeStep(possible) === encodeStep(step))) return null;
    world.take(step);
    if (world.violation) return world.violation;
  }
  if (!possibleSteps(world).some(isProgress)) checkQuiet(world);
  return world.violation;
}
