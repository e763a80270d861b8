import type { Clock } from '../core/clock.ts';

const MAX_CHANNELS = 1000;

interface Count {
  readonly value: Promise<number>;
  readonly askedAt: number;
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
    const known = this.#counts.get(channel);
    if (known && this.#clock.now() - known.askedAt < this.#maxAgeMs) return known.value;
    const count: Count = { value: this.#ask(channel), askedAt: this.#clock.now() };
    this.#counts.delete(channel);
    this.#counts.set(channel, count);
    count.value.catch(() => {
      if (this.#counts.get(channel) === count) this.#counts.delete(channel);
    });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_CHANNELS && oldest !== undefined) this.#counts.delete(oldest);
    return count.value;
  }
}
