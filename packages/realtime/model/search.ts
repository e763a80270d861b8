import { fingerprint } from './fingerprint.ts';
import { checkQuiet } from './invariants.ts';
import type { Violation } from './oracle.ts';
import { possibleSteps } from './possible-steps.ts';
import type { Scenario } from './scenario.ts';
import { decodeStep, encodeStep, isProgress } from './step.ts';
import type { Subject } from './subject.ts';
import { World } from './world.ts';

export interface SearchResult {
  readonly scenario: string;
  readonly states: number;
  readonly transitions: number;
  /** States in which nothing is left to happen. */
  readonly quiet: number;
  /** Steps of the longest shortest path. */
  readonly depth: number;
  /** Every state was visited; otherwise the bound was reached first. */
  readonly complete: boolean;
  readonly violation: FoundViolation | null;
}

export interface FoundViolation extends Violation {
  /** The shortest run that leads to it. */
  readonly steps: readonly number[];
}

/**
 * Visits the states of a scenario breadth first, so the first violation has a shortest run. States are not kept: each is the list of steps that
 * leads to it, and is built anew by taking them.
 */
export function search(
  subject: Subject,
  scenario: Scenario,
  maxStates = scenario.maxStates ?? 1_000_000,
): SearchResult {
  const seen = new StateTable();
  const parents: number[] = [-1];
  const taken: number[] = [-1];
  let level = [0];
  let depth = 0;
  let transitions = 0;
  let quiet = 0;
  const pathTo = (state: number): number[] => {
    const path: number[] = [];
    for (let at = state; at > 0; at = parents[at]!) path.push(taken[at]!);
    return path.reverse();
  };
  const result = (complete: boolean, violation: FoundViolation | null = null): SearchResult => ({
    scenario: scenario.name,
    states: parents.length,
    transitions,
    quiet,
    depth,
    complete,
    violation,
  });
  seen.add(fingerprint(new World(subject, scenario)));
  while (level.length) {
    const next: number[] = [];
    for (const state of level) {
      const path = pathTo(state);
      let world = run(subject, scenario, path);
      const steps = possibleSteps(world);
      if (!steps.some(isProgress)) {
        quiet++;
        checkQuiet(world);
        if (world.violation) return result(false, { ...world.violation, steps: path });
      }
      for (const [at, step] of steps.entries()) {
        if (at) world = run(subject, scenario, path);
        world.take(step);
        transitions++;
        const code = encodeStep(step);
        if (world.violation) return result(false, { ...world.violation, steps: [...path, code] });
        if (!seen.add(fingerprint(world))) continue;
        next.push(parents.length);
        parents.push(state);
        taken.push(code);
        if (parents.length >= maxStates) return result(false);
      }
    }
    level = next;
    if (level.length) depth++;
  }
  return result(true);
}

/** The world after these steps. */
export function run(subject: Subject, scenario: Scenario, path: readonly number[]): World {
  const world = new World(subject, scenario);
  for (const code of path) world.take(decodeStep(code));
  return world;
}

/** A set of 64-bit fingerprints in two flat arrays. */
class StateTable {
  #size = 0;
  #slots = 1 << 16;
  #high = new Int32Array(this.#slots);
  #low = new Int32Array(this.#slots);

  /** Whether it was new. */
  add([high, low]: readonly [number, number]): boolean {
    if (!high && !low) low = 1;
    if (this.#size * 2 > this.#slots) this.#grow();
    const at = this.#find(high, low);
    if (this.#high[at] || this.#low[at]) return false;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#size++;
    return true;
  }

  #find(high: number, low: number): number {
    let at = (high ^ (low >>> 7)) & (this.#slots - 1);
    while ((this.#high[at] || this.#low[at]) && (this.#high[at] !== high || this.#low[at] !== low))
      at = (at + 1) & (this.#slots - 1);
    return at;
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    this.#slots *= 2;
    this.#high = new Int32Array(this.#slots);
    this.#low = new Int32Array(this.#slots);
    for (let from = 0; from < high.length; from++) {
      if (!high[from] && !low[from]) continue;
      const at = this.#find(high[from]!, low[from]!);
      this.#high[at] = high[from]!;
      this.#low[at] = low[from]!;
    }
  }
}
