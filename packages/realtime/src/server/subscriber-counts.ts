import type { Clock } from '../core/clock.ts';

const MAX_CHANNELS = 1000;
/** How long a count that is being asked anew stands in for the new one. */
const STAND_IN_MS = 300_000;

interface Count {
  readonly value: Promise<number>;
  readonly askedAt: number;
  /** The last answer, with the time of its question. */
  known: { readonly value: number; readonly askedAt: number } | undefined;
}

/** Remembers how many subscribers a channel has: asking is a survey over all nodes of the broker, too dear for every publication. */
export class SubscriberCounts {
  readonly #ask: (channel: string) => Promise<number>;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  /** In the order of asking: the first is the oldest. */
  readonly #counts = new Map<string, Count>();

  constructor(ask: (channel: string) => Promise<number>, clock: Clock, maxAgeMs: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** A count that is at most `maxAgeMs` old. Callers at the same time share one question; a failure is not remembered. */
  get(channel: string): Promise<number> {
    const last = this.#counts.get(channel);
    if (last && this.#clock.now() - last.askedAt < this.#maxAgeMs) return last.value;
    const count: Count = { value: this.#ask(channel), askedAt: this.#clock.now(), known: last?.known };
    this.#counts.delete(channel);
    this.#counts.set(channel, count);
    count.value.then(
      (value) => {
        count.known = { value, askedAt: count.askedAt };
      },
      () => {
        if (this.#counts.get(channel) === count) this.#counts.delete(channel);
      },
    );
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_CHANNELS && oldest !== undefined) this.#counts.delete(oldest);
    return count.value;
  }

  /** A count for those who cannot wait: at once where there was one within five minutes, and asked anew where it is older than `maxAgeMs`. */
  soon(channel: string): number | Promise<number> {
    const asked = this.get(channel);
    const known = this.#counts.get(channel)?.known;
    return known && this.#clock.now() - known.askedAt < STAND_IN_MS ? known.value : asked;
  }
}
