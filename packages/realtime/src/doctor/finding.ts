/**
 * - `ok`: as it should be.
 * - `warning`: it works, and sooner or later somebody will wish it were otherwise.
 * - `failure`: something does not work, or is open to whom it should not be.
 * - `skipped`: could not be looked at; `found` says why.
 */
export type FindingState = 'ok' | 'warning' | 'failure' | 'skipped';

/** What one check found. Texts carry no key, token, secret or full address. */
export interface Finding {
  /** Stable, such as `token.secret`. */
  readonly id: CheckId;
  /** How it went. */
  readonly state: FindingState;
  /** What was found, as a sentence. */
  readonly found: string;
  /** What to do; there for every `warning` and `failure`. */
  readonly fix?: string;
  /** For a `skipped` check: those that it would have needed. */
  readonly blockedBy?: readonly CheckId[];
}

/** What a check says; the runner adds its id. */
export type Outcome = Omit<Finding, 'id'>;

/** Every check, in the order in which they are made and reported. */
export const CHECK_IDS = [
  'env.api-url',
  'env.api-key',
  'env.token-secret',
  'env.ws-url',
  'env.agreement',
  'env.broker',
  'api.reachable',
  'api.key',
  'api.closed',
  'api.version',
  'public.api',
  'public.pages',
  'websocket.upgrade',
  'websocket.origin',
  'websocket.foreign-origin',
  'token.secret',
  'token.forged',
  'token.missing',
  'token.identity',
  'clock.skew',
  'websocket.ping',
  'namespace.history',
  'namespace.grant',
  'delivery.same-broker',
  'namespace.recovery',
  'namespace.subscribe',
  'namespace.publish',
  'limits.channels',
  'limits.connections',
  'fallback.http-stream',
  'fallback.sse',
] as const;
/** The stable name of a check, for scripts that read findings. */
export type CheckId = (typeof CHECK_IDS)[number];

export const ok = (found: string): Outcome => ({ state: 'ok', found });
export const skipped = (found: string): Outcome => ({ state: 'skipped', found });
export const warning = (found: string, fix: string): Outcome => ({ state: 'warning', found, fix });
export const failure = (found: string, fix: string): Outcome => ({ state: 'failure', found, fix });

/** How many findings are in each state. */
export type FindingCounts = Readonly<Record<FindingState, number>>;

/** Counts findings by state, every state included. */
export function countFindings(findings: readonly Finding[]): FindingCounts {
  const counts = { ok: 0, warning: 0, failure: 0, skipped: 0 };
  for (const { state } of findings) counts[state]++;
  return counts;
}
