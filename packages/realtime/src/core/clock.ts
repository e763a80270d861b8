/**
 * Time as an argument. Everything that waits or asks the time takes a `Clock`, so tests and the model checker run on a virtual one.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; only differences are used. */
  now(): number;
  /** Runs `fn` once after `delayMs`; returns a function that cancels it and is harmless afterwards. */
  after(delayMs: number, fn: () => void): () => void;
}

/** A source of random numbers in [0, 1). */
export type Random = () => number;

/** The machine's clock. Timers do not keep a Node process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
};
