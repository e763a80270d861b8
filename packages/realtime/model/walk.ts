import type { Random } from '../src/core/clock.ts';
import { checkQuiet } from './invariants.ts';
import { possibleSteps } from './possible-steps.ts';
import type { Scenario } from './scenario.ts';
import type { FoundViolation } from './search.ts';
import { encodeStep, isProgress } from './step.ts';
import type { Subject } from './subject.ts';
import { World } from './world.ts';

export interface WalkResult {
  readonly seed: number;
  readonly steps: number;
  /** The walk ended with nothing left to happen. */
  readonly quiet: boolean;
  readonly violation: FoundViolation | null;
}

/** One random run through a scenario too large to search: anything may happen for a while, then the world comes to rest. */
export function walk(subject: Subject, scenario: Scenario, seed: number, maxSteps = 400): WalkResult {
  const random = mulberry32(seed);
  const world = new World(subject, scenario);
  const taken: number[] = [];
  const result = (quiet: boolean): WalkResult => ({
    seed,
    steps: taken.length,
    quiet,
    violation: world.violation && { ...world.violation, steps: taken },
  });
  for (;;) {
    let steps = possibleSteps(world);
    const progress = steps.filter(isProgress);
    if (taken.length >= maxSteps || random() < 0.6)
      steps = progress.length || taken.length >= maxSteps ? progress : steps;
    if (!steps.length) {
      // A hidden tab is looked at again, or nothing is left.
      const show = possibleSteps(world).find((step) => step.do === 'show');
      if (!show) break;
      steps = [show];
    }
    const step = steps[Math.floor(random() * steps.length)]!;
    taken.push(encodeStep(step));
    world.take(step);
    if (world.violation) return result(false);
    if (taken.length > maxSteps * 3) return result(false);
  }
  checkQuiet(world);
  return result(true);
}

/** A small generator of random numbers: the same seed gives the same walk everywhere. */
export function mulberry32(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
