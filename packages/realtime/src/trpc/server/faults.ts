import type { Clock } from '../../core/clock.ts';
import { countFault } from '../../server/telemetry.ts';

/**
 * What went wrong beside a call that was answered all the same.
 * - `watches`: the function that names a query's channels threw, or named too many. The query is bound to none.
 * - `stamps`: positions could not be read. The first join costs a refetch.
 * - `grants`: no tokens could be signed. The client asks `getChannelTokens`.
 * - `touches`: the function that names a mutation's channels threw. Nothing is announced.
 * - `publish`: an announcement could not be made. Others stay stale until the next one.
 * - `spread`: the app's spread policy threw. The refetches are not spread.
 */
export type FaultKind = 'watches' | 'stamps' | 'grants' | 'touches' | 'publish' | 'spread';

/** One fault, as `onFault` hears of it. */
export interface RealtimeFault {
  /** What failed. */
  readonly kind: FaultKind;
  /** The procedure, like `post.list`; `null` for what several share. */
  readonly path: string | null;
  /** What was thrown. */
  readonly error: unknown;
}

const PRINT_EVERY_MS = 10_000;

/** What follows, for whoever reads the log. */
const CONSEQUENCES: Readonly<Record<FaultKind, string>> = {
  watches: 'The query is bound to no channel.',
  stamps: 'First joins cost a refetch.',
  grants: 'Clients ask getChannelTokens instead.',
  touches: 'Nothing is announced.',
  publish: 'Other tabs stay stale until the next announcement.',
  spread: 'These refetches are not spread.',
};

/** Counts faults and hands them to the app; where it does not listen, prints one of each kind in ten seconds. */
export class FaultReporter {
  readonly counts: Record<FaultKind, number> = { watches: 0, stamps: 0, grants: 0, touches: 0, publish: 0, spread: 0 };
  readonly #listener: ((fault: RealtimeFault) => void) | undefined;
  readonly #clock: Clock;
  readonly #printedAt = new Map<FaultKind, number>();

  constructor(listener: ((fault: RealtimeFault) => void) | undefined, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
  }

  report(kind: FaultKind, path: string | null, error: unknown): void {
    this.counts[kind] += 1;
    try {
      countFault(kind);
      if (this.#listener) this.#listener({ kind, path, error });
      else this.#print(kind, path, error);
    } catch (thrown) {
      console.error('[@op/realtime] onFault threw.', thrown);
    }
  }

  #print(kind: FaultKind, path: string | null, error: unknown): void {
    const now = this.#clock.now();
    if (now - (this.#printedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < PRINT_EVERY_MS) return;
    this.#printedAt.set(kind, now);
    console.error(
      `[@op/realtime] ${kind}${path === null ? '' : ` of ${path}`} failed (${this.counts[kind]} so far). ${CONSEQUENCES[kind]}`,
      error,
    );
  }
}
