import type { CheckId, Outcome } from './finding.ts';
import type { Patient } from './patient.ts';

/** One thing to look at. */
export interface Check {
  readonly id: CheckId;
  /** Checks that must not have failed or been skipped; else this one is skipped and names them. */
  readonly needs: readonly CheckId[];
  run(patient: Patient): Promise<Outcome> | Outcome;
}
