import type { Clock } from '../src/core/clock.ts';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock that a test moves. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How far away the timers are that are set, nearest first. */
  get pending(): number[] {
    return Array.from(this.#timers, ({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Runs what is due until then, in order. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const [next] = Array.from(this.#timers).sort((a, b) => a.at - b.at);
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.fn();
    }
    this.#now = end;
  }
}
