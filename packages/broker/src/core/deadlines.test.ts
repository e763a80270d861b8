import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { Deadlines, NO_SLOT, type Waiter } from './deadlines.ts';

function waiter(woken: (w: Waiter) => void): Waiter {
  const self: Waiter = { slot: NO_SLOT, onDeadline: () => woken(self) };
  return self;
}

describe('deadlines', () => {
  it('are met once, never early and at most one slot late', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 }), (delays) => {
        const clock = new VirtualClock();
        const deadlines = new Deadlines(clock, 100);
        const start = clock.now();
        const metAt = delays.map(() => [] as number[]);
        for (const [i, delay] of delays.entries()) {
          const wait = waiter(() => metAt[i]!.push(clock.now() - start));
          deadlines.schedule(wait, start + delay);
        }
        clock.advance(6000);
        for (const [i, delay] of delays.entries()) {
          expect(metAt[i]).toHaveLength(1);
          expect(metAt[i]![0]! - delay).toBeGreaterThanOrEqual(0);
          expect(metAt[i]![0]! - delay).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it('are replaced by the next one, and forgotten when cancelled', () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    const met: number[] = [];
    const start = clock.now();
    const moved = waiter(() => met.push(clock.now() - start));
    const cancelled = waiter(() => met.push(-1));
    deadlines.schedule(moved, start + 500);
    deadlines.schedule(cancelled, start + 500);
    deadlines.schedule(moved, start + 2000);
    deadlines.cancel(cancelled);
    clock.advance(3000);
    expect(met).toEqual([2000]);
  });

  it('can be set anew while they are met, and lie years ahead', () => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    let count = 0;
    const again = waiter((self) => {
      count++;
      deadlines.schedule(self, clock.now() + 1000);
    });
    const year = waiter(() => {
      count = 1000;
    });
    deadlines.schedule(again, clock.now() + 1000);
    deadlines.schedule(year, clock.now() + 365 * 24 * 3600 * 1000);
    clock.advance(10_000);
    expect(count).toBe(10);
  });
});
