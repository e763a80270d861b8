import type { Clock } from '../core/clock.ts';

/** The machine's clock for calls in progress: unlike `systemClock` its timers keep a process alive, so that a script does not end between a call and its retry. */
export const callClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Runs `run`, and rejects with `onTimeout()` when it is not done in time; `signal` is then aborted. Also bounds what ignores the signal.
 *
 * In a process that was busy, a timer comes late and yet before the answer that arrived meanwhile is read. So the time by which it is late is given again, once,
 * and never more than `timeoutMs`: what times out is the other side, not this one.
 */
export function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  onTimeout: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const dueMs = clock.now() + timeoutMs;
    const expire = () => {
      reject(onTimeout());
      controller.abort();
    };
    let cancel = clock.after(timeoutMs, () => {
      const lateMs = Math.min(clock.now() - dueMs, timeoutMs);
      if (lateMs > 0) cancel = clock.after(lateMs, expire);
      else expire();
    });
    run(controller.signal)
      .then(resolve, reject)
      .finally(() => cancel());
  });
}

/** Resolves after the delay, or as soon as `signal` is aborted. */
export function delay(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, resolve);
    signal.addEventListener(
      'abort',
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
