import type { Clock, Random } from '../core/clock.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { callClock } from '../server/deadline.ts';
import { realtime as defaultRealtime } from '../server/default-realtime.ts';
import type { Realtime } from '../server/realtime.ts';
import { OutboxRelay, type RelayStatus } from './outbox-relay.ts';
import { storeOpener } from './outbox-store.ts';
import { connectionOpener, type RelayDatabase, withTimeouts } from './relay-connection.ts';
import { faultReporter, type RelayFault } from './relay-faults.ts';
import type { RelayState } from './relay-state.ts';
import { type RelayTable, relayTable } from './relay-table.ts';

/** Options of `startOutboxRelay`. */
export interface OutboxRelayOptions {
  /**
   * Where the table is. The relay keeps one connection, whose session holds a lock and listens: it must not pass a pooler that hands sessions around
   * (PgBouncer in transaction mode). For that case pass a function that makes a client for the database's own address.
   */
  readonly database: RelayDatabase;
  /** @default the `realtime` of `@op/realtime/server` */
  readonly realtime?: Pick<Realtime, 'publish'>;
  /** @default relayTable() */
  readonly target?: RelayTable;
  /** How often it looks for rows, or for the lock, without being notified. @default 1000 */
  readonly pollMs?: number;
  /** How many rows are in memory at most. @default 100 */
  readonly batchSize?: number;
  /** A row that failed this often, on a broker that takes others, is set aside. @default 8 */
  readonly maxAttempts?: number;
  /** The pauses while the broker or the database is away: full jitter between `minMs` and a bound that doubles up to `maxMs`. @default 100 and 10000 */
  readonly retry?: { readonly minMs: number; readonly maxMs: number };
  /** For opening the connection, and for each statement. @default 10000 */
  readonly databaseTimeoutMs?: number;
  /** Told of what the relay could not do. @default printed */
  readonly onFault?: (fault: RelayFault) => void;
  /** Told of each new state. */
  readonly onState?: (state: RelayState) => void;
  /** @default the machine's */
  readonly clock?: Clock;
  /** @default Math.random */
  readonly random?: Random;
}

/** A relay that runs. */
export interface RunningRelay {
  /** What it is doing, and has done since its start. */
  readonly status: RelayStatus;
  /** Ends what is under way, gives back lock and connection. Harmless when called again. */
  stop(): Promise<void>;
}

/**
 * Starts to publish what `publishInTransaction` wrote, at least once and each channel in the order of its rows. Any number may run, on any number of machines: one works, the
 * others stand by. It never gives up: while the broker or the database is away it tries again, and tells `onFault`.
 *
 * ```ts
 * const relay = startOutboxRelay({ database: pool });
 * process.once('SIGTERM', () => void relay.stop());
 * ```
 * @throws UnsupportedTransactionError (`unsupported_transaction`), InvalidArgumentError (`invalid_argument`)
 */
export function startOutboxRelay(options: OutboxRelayOptions): RunningRelay {
  const {
    realtime = defaultRealtime,
    target = relayTable(),
    clock = callClock,
    retry = { minMs: 100, maxMs: 10_000 },
  } = options;
  if (target.kind !== 'relay-table')
    throw new InvalidArgumentError(
      'The relay reads the table of relayTable(); the other targets are read by Centrifugo itself.',
    );
  const databaseTimeoutMs = positive(options.databaseTimeoutMs ?? 10_000, 'databaseTimeoutMs');
  const open = withTimeouts(connectionOpener(options.database), clock, databaseTimeoutMs);
  return new OutboxRelay({
    open: storeOpener(open, target),
    realtime,
    report: faultReporter(options.onFault, clock),
    onState: options.onState,
    clock,
    random: options.random ?? Math.random,
    batchSize: positive(options.batchSize ?? 100, 'batchSize'),
    pollMs: positive(options.pollMs ?? 1000, 'pollMs'),
    maxAttempts: positive(options.maxAttempts ?? 8, 'maxAttempts'),
    retry: { minMs: positive(retry.minMs, 'retry.minMs'), maxMs: positive(retry.maxMs, 'retry.maxMs') },
  });
}

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`${name} must be a whole number from 1, got ${String(value)}.`);
}
