import type { Clock } from './core/clock.ts';
import { Rehearsal } from './rehearsal.ts';

/** How much longer a start may take. */
const AWAITED_MS = 300;
/** When the rehearsal ends, also where nobody comes. */
const MAX_MS = 1500;
/** How often its clients come at most. */
const ROUNDS = 100;

/** What a warm-up came to; for its test. */
export interface WarmUpResult {
  readonly rounds: number;
  readonly failure: unknown;
}

/** Runs what clients will ask for until it is compiled. */
export interface WarmUp {
  /** Resolves when the broker should wait no longer: after 300 ms. */
  readonly awaited: Promise<void>;
  /** Resolves when the rehearsal is over. Never rejects. */
  readonly over: Promise<WarmUpResult>;
  /** Ends it after the round that is under way. */
  stop(): void;
}

/**
 * Begins a warm-up. A broker that is restarted gets all its clients back at once, and that is when its code is cold: a third of the work of the first
 * thousands of connections was the compiler's, and more in code that was not compiled yet. The rehearsal has an engine, a key and a port on the loopback
 * of its own, and is dropped. Nothing depends on it: a failure ends it, and the broker starts without.
 *
 * The start waits for the first part; the rest goes on while nobody is there.
 * @param isIdle asked before each round: whether the broker has no clients yet
 */
export function beginWarmUp(clock: Clock, isIdle: () => boolean): WarmUp {
  let isStopped = false;
  const over = rehearse(clock, () => !isStopped && isIdle());
  const awaited = new Promise<void>((resolve) => {
    const cancel = clock.after(AWAITED_MS, resolve);
    void over.then(() => {
      cancel();
      resolve();
    });
  });
  return {
    awaited,
    over,
    stop() {
      isStopped = true;
    },
  };
}

async function rehearse(clock: Clock, isWanted: () => boolean): Promise<WarmUpResult> {
  const endMs = clock.now() + MAX_MS;
  let rounds = 0;
  let failure: unknown;
  try {
    const rehearsal = new Rehearsal(clock);
    try {
      await rehearsal.begin();
      for (; rounds < ROUNDS && isWanted() && clock.now() < endMs; rounds++) await rehearsal.round();
    } finally {
      await rehearsal.end();
    }
  } catch (error) {
    // A broker that starts cold is slower for a second; one that does not start is of no use.
    failure = error;
  }
  return { rounds, failure };
}
