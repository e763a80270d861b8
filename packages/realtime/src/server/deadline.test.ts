import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { withDeadline } from './deadline.ts';

/** A clock whose timers a test fires by hand, as late as it likes. */
class HandClock implements Clock {
  readonly timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  nowMs = 1_000;
  now = () => this.nowMs;
  after(delayMs: number, fn: () => void): () => void {
    const timer = { delayMs, fire: fn };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), 1);
  }
  fire(atMs: number): void {
    this.nowMs = 1_000 + atMs;
    this.timers.shift()?.fire();
  }
}

function start() {
  const clock = new HandClock();
  const seen: unknown[] = [];
  let signal: AbortSignal | undefined;
  let answer: (value: string) => void = () => {};
  withDeadline(
    clock,
    100,
    () => new RangeError('too late'),
    (given) => {
      signal = given;
      return new Promise<string>((resolve) => {
        answer = resolve;
      });
    },
  ).then(
    (value) => seen.push(value),
    (error: Error) => seen.push(error.message),
  );
  return { clock, seen, answer: (value: string) => answer(value), isAborted: () => signal?.aborted };
}

describe('a time limit', () => {
  it('that fires in time is over, and says so to what still runs', async () => {
    const { clock, seen, isAborted } = start();
    clock.fire(100);
    await setImmediate();
    expect([seen, isAborted(), clock.timers]).toEqual([['too late'], true, []]);
  });

  const late: [firedMs: number, moreMs: number][] = [
    [101, 1],
    [160, 60],
    [5_000, 100],
  ];
  it.each(late)('of 100 ms that fires after %s ms gives %s ms more, once', async (firedMs, moreMs) => {
    const { clock, seen, isAborted } = start();
    clock.fire(firedMs);
    await setImmediate();
    expect([seen, isAborted(), clock.timers.map(({ delayMs }) => delayMs)]).toEqual([[], false, [moreMs]]);
    clock.fire(firedMs + moreMs + 1_000);
    await setImmediate();
    expect([seen, isAborted(), clock.timers]).toEqual([['too late'], true, []]);
  });

  it('leaves no timer behind where the answer came, also in the time given again', async () => {
    for (const firedMs of [0, 300]) {
      const { clock, seen, answer } = start();
      if (firedMs) clock.fire(firedMs);
      answer('in time');
      await setImmediate();
      expect([seen, clock.timers]).toEqual([['in time'], []]);
    }
  });
});
