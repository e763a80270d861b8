import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine, type Machine } from '../measure/machine.ts';
import type { Figures } from './case.ts';
import { TARGETS, type TargetName, versionOf } from './targets.ts';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

export function resultFile(name: string): string {
  mkdirSync(RESULTS, { recursive: true });
  return `${RESULTS}${name}`;
}

/** Figures of each target, one entry per round. */
export type Rounds = Partial<Record<TargetName, readonly Figures[]>>;

export interface CaseResult {
  readonly title: string;
  /** Day of the measurement. */
  readonly date: string;
  /** Of the machine when the measurement began: what others did. */
  readonly loadAverage?: number;
  readonly rounds: Rounds;
}

export interface BrokerResults {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: Readonly<Record<string, CaseResult>>;
}

/** A result of now. @param loadAverage from before the measurement */
export function caseResult(title: string, rounds: Rounds, loadAverage: number): CaseResult {
  return { title, date: new Date().toISOString().slice(0, 10), loadAverage: Number(loadAverage.toFixed(1)), rounds };
}

/** Targets that can be measured here. */
export function availableTargets(): readonly TargetName[] {
  return TARGETS.filter((name) => name !== 'centrifugo' || process.env.CENTRIFUGO_BIN);
}

export function readResults(file: string): BrokerResults | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BrokerResults) : undefined;
}

/**
 * Writes what was measured. Cases that the file has already, and that were not measured now, stay: a long measurement can be made in parts. But only
 * if they are of the same machine and the same versions.
 */
export function mergeResults(file: string, measured: Readonly<Record<string, CaseResult>>): BrokerResults {
  const machine = describeMachine();
  const versions = Object.fromEntries(availableTargets().map((name) => [name, versionOf(name)]));
  const old = readResults(file);
  const isSame = old && JSON.stringify([old.machine, old.versions]) === JSON.stringify([machine, versions]);
  const results = { machine, versions, cases: { ...(isSame ? old.cases : {}), ...measured } };
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  return results;
}
