import { RealtimeError } from '../core/errors.ts';
import { callClock } from '../server/deadline.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks/index.ts';
import { type CheckId, type Finding, failure, type Outcome, skipped } from './finding.ts';
import { Patient, type Surroundings } from './patient.ts';
import type { Environment } from './settings.ts';

/** Options of `diagnose`. */
export interface DiagnoseOptions {
  /** The variables of the application, and where they are known those of the broker. @default process.env */
  readonly env?: Environment | undefined;
  /**
   * Where the application's pages are, such as `https://app.example.com`: browsers send it, and the broker must allow it.
   * @default the first of `CENTRIFUGO_CLIENT_ALLOWED_ORIGINS`, where that is known and no pattern
   */
  readonly origin?: string | undefined;
  /** For each question to the broker. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** Called with the id of each check as it begins, and with its finding as it ends. */
  readonly onProgress?: ((id: CheckId, finding: Finding | null) => void) | undefined;
}

/**
 * Examines a set-up the way the application and its visitors use it: calls the server API, signs tokens, opens WebSockets, subscribes.
 * It publishes some hundred messages to a channel of its own (`trpc:op-realtime-doctor`), and changes nothing else.
 *
 * @returns one finding per check, in a fixed order. It rejects for nothing that a set-up can do wrong.
 */
export function diagnose(options: DiagnoseOptions = {}): Promise<readonly Finding[]> {
  return diagnoseIn(options, { clock: callClock });
}

export async function diagnoseIn(options: DiagnoseOptions, surroundings: Surroundings): Promise<readonly Finding[]> {
  const { env = process.env, timeoutMs = 5_000, onProgress } = options;
  const patient = new Patient({ env, origin: options.origin ?? originOf(env), timeoutMs }, surroundings);
  const findings = new Map<CheckId, Finding>();
  for (const check of CHECKS) {
    onProgress?.(check.id, null);
    const finding = { id: check.id, ...(await examine(check, patient, findings)) };
    patient.closeAll();
    findings.set(check.id, finding);
    onProgress?.(check.id, finding);
  }
  return [...findings.values()];
}

async function examine(check: Check, patient: Patient, findings: ReadonlyMap<CheckId, Finding>): Promise<Outcome> {
  const missing = check.needs.filter((id) => !['ok', 'warning'].includes(findings.get(id)?.state ?? 'skipped'));
  if (missing.length > 0) return { ...skipped(`Not looked at: it needs ${missing.join(', ')}.`), blockedBy: missing };
  try {
    return await check.run(patient);
  } catch (error) {
    if (!(error instanceof RealtimeError)) throw error;
    // The library's own errors carry no key, token or address.
    return failure(
      error.message,
      'Run the doctor again; if it stays, look into the log of the broker and of the proxy in front of it.',
    );
  }
}

function originOf(env: Environment): string | undefined {
  const first = env.CENTRIFUGO_CLIENT_ALLOWED_ORIGINS?.trim().split(/\s+/)[0];
  return first && !/[*?,]/.test(first) && URL.canParse(first) ? first : undefined;
}
