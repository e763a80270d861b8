import type { Clock } from '../core/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on. Timers of one moment run in the order in which they were set. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs milliseconds since the Unix epoch */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** The moment at which the clock stands, in milliseconds since the Unix epoch. */
  now(): number {
    return this.#nowMs;
  }

  /** Runs `run` when the clock has gone on by `delayMs`; returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets promises settle and runs what is due now, until nothing is left to do at this moment. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /** Goes on by `durationMs`, timer by timer; promises settle after each. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    const next = () => {
      const timer = this.#next();
      return timer && timer.dueMs <= untilMs ? timer : undefined;
    };
    for (;;) {
      await turn();
      let timer = next();
      if (!timer) {
        await longTurn(); // what libraries put off with timers of their own may set one more
        timer = next();
        if (!timer) break;
      }
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      this.#timers.delete(timer);
      timer.run();
    }
    this.#nowMs = untilMs;
  }

  /** The machine sleeps: time passes, but no timer runs until it wakes; then all that are overdue do. */
  async sleep(durationMs: number): Promise<void> {
    this.#nowMs += durationMs;
    await this.settle();
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer;
    return next;
  }
}

/** A turn of the real event loop, after which every promise that can settle has settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Node's is faster by far than a timer. */
const nextTurn: (run: () => void) => unknown =
  typeof setImmediate === 'function' ? setImmediate : (run) => setTimeout(run, 0);

/** A turn that also lets pass what waits for a timer of no length, as TanStack Query's notifications do. */
function longTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
