import type { Random } from '../core/clock.ts';

/** Probabilities from 0 to 1, for each publication on its way to a client. */
export interface WireFaults {
  /** It never arrives. A later one shows the gap. */
  readonly lose?: number;
  /** It arrives twice. */
  readonly duplicate?: number;
  /** It arrives late, and so does all that follows it: a socket keeps its order. */
  readonly delay?: number;
  /** At most this late. @default 2_000 */
  readonly maxDelayMs?: number;
}

/** Draws what happens to each publication. */
export class WireFate {
  readonly #random: Random;
  #faults: WireFaults = {};

  constructor(random: Random) {
    this.#random = random;
  }

  set(faults: WireFaults): void {
    this.#faults = faults;
  }

  next(): { readonly copies: number; readonly delayMs: number } {
    const { lose = 0, duplicate = 0, delay = 0, maxDelayMs = 2_000 } = this.#faults;
    const delayMs = this.#happens(delay) ? Math.ceil(this.#random() * maxDelayMs) : 0;
    return { copies: this.#happens(lose) ? 0 : this.#happens(duplicate) ? 2 : 1, delayMs };
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}
