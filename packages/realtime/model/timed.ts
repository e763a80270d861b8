import type { Message } from '../src/core/message.ts';
import type { Fetch } from '../src/query/entry.ts';
import type { Subject } from './subject.ts';

/** One way to press a tab: pushes at a steady pace, requests that take their time, mutations that never pause. */
export interface Pressure {
  readonly pushEveryMs: number;
  readonly latencyMs: number;
  /** An own mutation is in flight: never, always, or always again within a millisecond. */
  readonly mutations: 'none' | 'always' | 'autosave';
  readonly spreadMs: number;
}

export const WINDOW_MS = 50;
export const DEFER_MS = 5_000;
/** How long the pressure lasts. */
export const RUN_MS = 60_000;
const MESSAGE: Message = { type: 'channel-invalidation' };

/** The longest that I4 allows between an announcement and the data that has it on screen. */
export function allowedMs({ latencyMs, mutations, spreadMs }: Pressure): number {
  return WINDOW_MS + 2 * latencyMs + spreadMs + (mutations === 'none' ? 0 : DEFER_MS);
}

export const PRESSURES: readonly Pressure[] = [5, 20, 49, 51, 99, 200, 333, 1_000, 4_999].flatMap((pushEveryMs) =>
  [1, 40, 250, 900, 4_000].flatMap((latencyMs) =>
    (['none', 'always', 'autosave'] as const).flatMap((mutations) =>
      [0, 2_000].map((spreadMs) => ({ pushEveryMs, latencyMs, mutations, spreadMs })),
    ),
  ),
);

/** Runs the real refetcher on a virtual clock under this pressure and returns the longest wait of any push for its data. */
export function longestWaitMs(subject: Subject, { pushEveryMs, latencyMs, mutations, spreadMs }: Pressure): number {
  let nowMs = 0;
  let timers: { dueMs: number; fn: () => void }[] = [];
  const soon: (() => void)[] = [];
  const after = (delayMs: number, fn: () => void) => {
    const timer = { dueMs: nowMs + delayMs, fn };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  const refetcher = new subject.Refetcher({
    clock: { now: () => nowMs, after },
    random: () => 0.5,
    soon: (fn) => soon.push(fn),
    isAway: () => false,
    isMutating: () => mutations !== 'none',
    hasMutations: () => mutations !== 'none',
    changed: () => {},
  });
  let current: Fetch | null = null;
  let top = 0;
  let shown = 0;
  const waiting: { offset: number; sinceMs: number }[] = [];
  let longest = 0;
  const settle = (offset: number) => {
    shown = Math.max(shown, offset);
    while (waiting[0] && waiting[0].offset <= shown) longest = Math.max(longest, nowMs - waiting.shift()!.sinceMs);
  };
  const entry = refetcher.add(['q'], {
    isActive: () => true,
    isFetching: () => current !== null,
    mark: () => {},
    fetch: (replace) => {
      if (current && !replace) return;
      const mine = refetcher.started(entry);
      current = mine;
      // The server reads at once: the most that can be missed on the way back.
      const read = top;
      after(latencyMs, () => {
        if (current !== mine) return;
        current = null;
        settle(read);
        refetcher.settled(mine, [{ tick: mine.tick, channels: [['c', { epoch: 'a', offset: read }]] }]);
      });
    },
  });
  const first = refetcher.started(entry);
  refetcher.settled(first, [{ tick: first.tick, channels: [['c', { epoch: 'a', offset: 0 }]] }]);
  refetcher.freshness.join('c', { epoch: 'a', offset: 0 }, false);
  const push = () => {
    top++;
    waiting.push({ offset: top, sinceMs: nowMs });
    refetcher.freshness.publication('c', top, MESSAGE, spreadMs);
    after(pushEveryMs, push);
  };
  after(0, push);
  if (mutations === 'autosave') {
    const save = () => {
      refetcher.mutationEnded(false);
      after(700, save);
    };
    after(700, save);
  }
  for (;;) {
    while (soon.length) soon.shift()!();
    let next = timers[0]!;
    for (const timer of timers) if (timer.dueMs < next.dueMs) next = timer;
    if (next.dueMs > RUN_MS) break;
    timers = timers.filter((timer) => timer !== next);
    nowMs = next.dueMs;
    next.fn();
  }
  return Math.max(longest, ...waiting.slice(0, 1).map(({ sinceMs }) => nowMs - sinceMs));
}
