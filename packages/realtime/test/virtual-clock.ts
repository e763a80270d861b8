import type { Clock } from '../src/core/clock.ts';

/** A clock that stands still until a test moves it. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #count = 0;
  readonly #timers = new Map<number, { dueMs: number; fn: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const id = ++this.#count;
    this.#timers.set(id, { dueMs: this.#nowMs + delayMs, fn });
    return () => this.#timers.delete(id);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Runs what is due within the next `ms`, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: [number, { dueMs: number; fn: () => void }] | undefined;
      for (const timer of this.#timers) if (!next || timer[1].dueMs < next[1].dueMs) next = timer;
      if (!next || next[1].dueMs > endMs) break;
      this.#timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].dueMs);
      next[1].fn();
    }
    this.#nowMs = endMs;
  }
}
