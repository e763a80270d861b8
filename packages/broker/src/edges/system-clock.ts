import type { Clock } from '../core/clock.ts';

/** The machine's clock. Its timers do not keep the process alive; the listening socket does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
