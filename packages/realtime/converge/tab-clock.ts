import type { Clock } from '../src/core/clock.ts';

/** The clock of one tab: real time, until the machine sleeps or somebody sets the clock. */
export class TabClock implements Clock {
  readonly #late = new Set<() => void>();
  /** Set it as somebody sets a wall clock; timers do not care. */
  offsetMs = 0;
  #isAsleep = false;

  now(): number {
    return Date.now() + this.offsetMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const due = () => {
      if (this.#isAsleep) this.#late.add(fn);
      else fn();
    };
    const timer = setTimeout(due, delayMs);
    return () => {
      clearTimeout(timer);
      this.#late.delete(fn);
    };
  }

  /** No timer fires any more. Time goes on. */
  sleep(): void {
    this.#isAsleep = true;
  }

  /** Everything that came due meanwhile happens at once. */
  wake(): void {
    this.#isAsleep = false;
    for (const fn of [...this.#late]) {
      if (this.#late.delete(fn)) fn();
    }
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }
}
