import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/manual-clock.ts';
import { LostHistorySpread } from './lost-history-spread.ts';

const ROOM = { perSubscriberMs: 2, maxMs: 5_000 };

function start(room: ConstructorParameters<typeof LostHistorySpread>[2] = ROOM) {
  const clock = new ManualClock();
  const questions: PromiseWithResolvers[] = [];
  const connectionCount = () => new Promise<number>((resolve, reject) => void questions.push({ resolve, reject }));
  return { clock, questions, spread: new LostHistorySpread({ connectionCount }, clock, room) };
}

interface PromiseWithResolvers {
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

describe('the spread after lost history', () => {
  it('waits for no count, and follows it: so much for each connection, bounded, nothing where it is little', async () => {
    const { clock, questions, spread } = start();
    const counts: [count: number, spreadMs: number][] = [
      [300, 600],
      [10_000, 5_000],
      [49, 0],
    ];
    let before = 0;
    for (const [count, spreadMs] of counts) {
      expect(spread.now()).toBe(before);
      questions.at(-1)?.resolve(count);
      await setImmediate();
      expect(spread.now()).toBe(spreadMs);
      before = spreadMs;
      clock.advance(10_000);
    }
  });

  it('is counted once in 10 s, however many answers there are', () => {
    const { clock, questions, spread } = start();
    for (let at = 0; at < 100; at++) spread.now();
    clock.advance(9_999);
    spread.now();
    expect(questions).toHaveLength(1);
    clock.advance(1);
    spread.now();
    expect(questions).toHaveLength(2);
  });

  it('stays as it was while the broker cannot tell', async () => {
    const { clock, questions, spread } = start();
    spread.now();
    questions[0]?.resolve(400);
    await setImmediate();
    clock.advance(10_000);
    spread.now();
    questions[1]?.reject(new RangeError('down'));
    await setImmediate();
    expect(spread.now()).toBe(800);
  });

  it('costs an answer nothing where the instance cannot count at all', () => {
    const cannot = () => {
      throw new TypeError('not a function');
    };
    expect(new LostHistorySpread({ connectionCount: cannot }, new ManualClock(), ROOM).now()).toBe(0);
  });

  it('is none, and nothing is counted, where it is off', () => {
    const { questions, spread } = start(false);
    expect([spread.now(), questions]).toEqual([0, []]);
  });
});
