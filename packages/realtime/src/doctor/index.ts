/**
 * The checks of `op-realtime doctor` as a function.
 *
 * Imported by scripts and health pages.
 *
 * @module
 */

export { type DiagnoseOptions, diagnose } from './diagnose.ts';
export {
  CHECK_IDS,
  type CheckId,
  countFindings,
  type Finding,
  type FindingCounts,
  type FindingState,
} from './finding.ts';
