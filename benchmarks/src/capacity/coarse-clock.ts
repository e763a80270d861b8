import type { Clock } from '../../../packages/realtime/src/core/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/**
 * A virtual clock for very many timers. They run at their exact moments and in order; promises settle only once every `stepMs`, so what follows from a timer can come that much late.
 */
export class CoarseClock implements Clock {
  #nowMs = 0;
  readonly #stepMs: number;
  /** By the step in which they are due; those of one step are sorted when it comes. */
  readonly #steps = new Map<number, Timer[]>();

  constructor(stepMs = 10) {
    this.#stepMs = stepMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), run, isCancelled: false };
    const step = Math.floor(timer.dueMs / this.#stepMs);
    const timers = this.#steps.get(step);
    if (timers) timers.push(timer);
    else this.#steps.set(step, [timer]);
    return () => {
      timer.isCancelled = true;
    };
  }

  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (let step = Math.floor(this.#nowMs / this.#stepMs); step * this.#stepMs <= untilMs; step++) {
      for (let timers = this.#take(step, untilMs); timers.length > 0; timers = this.#take(step, untilMs)) {
        for (const timer of timers) {
          this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
          if (!timer.isCancelled) timer.run();
        }
        await settle();
      }
    }
    this.#nowMs = untilMs;
  }

  /** The timers of a step that are due by then, in order; the others stay. */
  #take(step: number, untilMs: number): Timer[] {
    const all = this.#steps.get(step) ?? [];
    const due = all.filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
    if (due.length === all.length) this.#steps.delete(step);
    else
      this.#steps.set(
        step,
        all.filter(({ dueMs }) => dueMs > untilMs),
      );
    return due;
  }
}

/** Lets promises settle, and what libraries put off with timers of no length. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
