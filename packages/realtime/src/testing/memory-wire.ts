import type { Clock } from '../core/clock.ts';

/** The wire of one connection: each direction takes its time and keeps its order; what is on it when it is cut never arrives. */
export class MemoryWire {
  /** Swallows everything without either side noticing. */
  isHalfOpen = false;
  readonly #clock: Clock;
  readonly #latencyMs: number;
  #isCut = false;
  #lastDownMs = 0;

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** From the client to the broker. */
  up(run: () => void): void {
    if (!this.isHalfOpen) this.#clock.after(this.#latencyMs, () => this.#arrive(run));
  }

  /** From the broker to the client. What comes after a late one is late too, as on a socket. */
  down(run: () => void, delayMs = 0): void {
    const nowMs = this.#clock.now();
    this.#lastDownMs = Math.max(this.#lastDownMs, nowMs + this.#latencyMs + delayMs);
    this.#clock.after(this.#lastDownMs - nowMs, () => this.#arrive(run));
  }

  #arrive(run: () => void): void {
    if (!this.#isCut && !this.isHalfOpen) run();
  }
}
