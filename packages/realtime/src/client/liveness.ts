import type { Clock } from '../core/clock.ts';

/** How often the clock is looked at. */
const SLEEP_CHECK_MS = 10_000;
/** How late that may be before it means that the machine slept. Longer sleep than the SDK's ping deadline it finds by itself. */
const MAX_LATE_MS = 5_000;

interface LivenessOptions {
  readonly clock: Clock;
  readonly probeTimeoutMs: number;
  /** Resolves when the broker answered anything at all. */
  readonly probe: () => Promise<void>;
  /** Whether the page is shown. */
  readonly isVisible: () => boolean;
  /** The broker did not answer in time. */
  readonly onDead: () => void;
}

/**
 * Makes a connection prove itself: a socket that died while the machine slept, or with its network, looks open for a long time.
 * Runs between `start` and `stop`.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #isRunning = false;
  #cancelSleepCheck: (() => void) | null = null;
  #cancelProbe: (() => void) | null = null;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isRunning = true;
    this.#checkSleep();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancelSleepCheck?.();
    this.#cancelProbe?.();
    this.#cancelSleepCheck = null;
    this.#cancelProbe = null;
  }

  /** Asks for a proof within the deadline. One at a time. */
  check(): void {
    if (!this.#isRunning || this.#cancelProbe) return;
    const { clock, probeTimeoutMs, probe, onDead } = this.#options;
    const settle = (isAlive: boolean) => {
      if (this.#cancelProbe !== cancel) return; // stopped meanwhile, or settled
      cancel();
      this.#cancelProbe = null;
      if (!isAlive) onDead();
    };
    const cancel = clock.after(probeTimeoutMs, () => settle(false));
    this.#cancelProbe = cancel;
    probe().then(
      () => settle(true),
      () => settle(false),
    );
  }

  #checkSleep(): void {
    this.#cancelSleepCheck?.();
    const { clock, isVisible } = this.#options;
    const startedMs = clock.now();
    this.#cancelSleepCheck = clock.after(SLEEP_CHECK_MS, () => {
      // Browsers slow down the timers of hidden pages; those are checked when they are shown.
      if (isVisible() && clock.now() - startedMs > SLEEP_CHECK_MS + MAX_LATE_MS) this.check();
      this.#checkSleep();
    });
  }
}
