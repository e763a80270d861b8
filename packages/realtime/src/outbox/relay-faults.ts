import type { Clock } from '../core/clock.ts';

/**
 * What a relay could not do.
 * - `database`: the connection is lost, or the table is missing (`outbox_not_migrated`). It tries again.
 * - `broker`: the broker does not take what is published. It tries again.
 * - `dead-letter`: a row can never be published. It stays in the table, marked, and a `channel-invalidation` took its place.
 */
export type RelayFaultKind = 'database' | 'broker' | 'dead-letter';

/** What `onFault` is told: something failed, and what becomes of it is decided by the relay. */
export interface RelayFault {
  /** What failed. */
  readonly kind: RelayFaultKind;
  /** What was thrown; `null` for a row that was malformed to begin with. */
  readonly error: unknown;
  /** For `dead-letter`: the row's id. */
  readonly rowId?: string;
  /** For `dead-letter`: why. */
  readonly reason?: string;
}

const PRINT_EVERY_MS = 10_000;

/** Hands faults to the app; where it does not listen, prints one of each kind in ten seconds. */
export function faultReporter(
  listener: ((fault: RelayFault) => void) | undefined,
  clock: Clock,
): (fault: RelayFault) => void {
  const printedAt = new Map<RelayFaultKind, number>();
  return (fault) => {
    try {
      if (listener) return listener(fault);
    } catch (thrown) {
      console.error('[@op/realtime] onFault of the outbox relay threw.', thrown);
      return;
    }
    const now = clock.now();
    if (now - (printedAt.get(fault.kind) ?? Number.NEGATIVE_INFINITY) < PRINT_EVERY_MS) return;
    printedAt.set(fault.kind, now);
    console.error(`[@op/realtime] The outbox relay: ${describe(fault)}`, fault.error ?? '');
  };
}

/** For whoever reads the log: what happened, and what becomes of it. */
function describe({ kind, rowId, reason }: RelayFault): string {
  if (kind === 'database') return 'the database does not do what is asked; it is tried again.';
  if (kind === 'broker') return 'the broker does not take what is published; it is tried again.';
  return `row ${rowId} can never be published (${reason}); it stays in the table, and a channel-invalidation took its place.`;
}
