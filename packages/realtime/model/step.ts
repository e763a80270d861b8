import { FAULTS, type Fault } from './scenario.ts';

/** One step of the world: what happens, in which tab (or broker), to which item. */
export interface Step {
  readonly do: StepKind;
  readonly tab: number;
  readonly item: number;
}

/** Steps that the world takes by itself, sooner or later. The world is quiet when none is left. */
const PROGRESS = [
  'commit',
  'publish',
  'connect',
  'subscribe',
  'positionCheck',
  'deliver',
  'readStamp',
  'read',
  'answer',
  'fire',
  'mutationAnswer',
] as const;
/** Steps that need nothing to be repaired first, but may happen only as often as the scenario says; some are named like their fault. */
const OUTSIDE = ['mutate', 'show'] as const;
export type StepKind = (typeof PROGRESS)[number] | (typeof OUTSIDE)[number] | Fault;
const KINDS: readonly StepKind[] = [...PROGRESS, ...OUTSIDE, ...FAULTS];
const PROGRESS_KINDS: ReadonlySet<StepKind> = new Set(PROGRESS);

/** A step as a number, and back. */
export function encodeStep(step: Step): number {
  return KINDS.indexOf(step.do) * 1024 + step.tab * 128 + step.item;
}
export function decodeStep(code: number): Step {
  return { do: KINDS[code >> 10]!, tab: (code >> 7) & 7, item: code & 127 };
}

/** Whether the world would take this step by itself. */
export function isProgress({ do: kind }: Pick<Step, 'do'>): boolean {
  return PROGRESS_KINDS.has(kind);
}
