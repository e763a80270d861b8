/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Runs `fn` once after `delayMs`; returns a function that cancels it and is harmless afterwards. */
  after(delayMs: number, fn: () => void): () => void;
}

/** What the core takes from outside besides its options. */
export interface Surroundings {
  readonly clock: Clock;
  /** A random number in [0, 1). */
  random(): number;
  /** A new client id: a UUID. */
  newClientId(): string;
  /** A new stream epoch: eight letters. */
  newEpoch(): string;
}

/** Unix time in whole seconds. */
export function unixSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
