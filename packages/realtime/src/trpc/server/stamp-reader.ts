import type { ChannelName } from '../../core/channel.ts';
import type { Clock } from '../../core/clock.ts';
import type { Position } from '../../core/position.ts';

export type Stamps = ReadonlyMap<ChannelName, Position | null>;
export const NO_STAMPS: Stamps = new Map();

/** Asks the broker, for a short time; what it does not tell is missing. Never rejects. */
type ReadPositions = (channels: readonly ChannelName[]) => Promise<Stamps>;

interface Reading {
  readonly channels: Set<ChannelName>;
  readonly result: Promise<Stamps>;
}

/**
 * Reads the positions for all calls of one HTTP request at once, before any of their resolvers runs. A position that was read after a resolver started may be
 * newer than what that resolver loaded and another one takes from a request cache (a DataLoader), so it is no stamp.
 *
 * The context of a WebSocket connection serves many requests: there each tick has a reading of its own, and `isOneRequest` is false.
 */
export class StampReader {
  readonly #read: ReadPositions;
  readonly #clock: Clock;
  readonly #isOneRequest: boolean;
  /** The one that gathers channels; `null` once it asks. */
  #reading: Reading | null = null;
  /** Calls whose resolvers may have loaded something. */
  readonly #started = new Set<object>();

  constructor(read: ReadPositions, clock: Clock, isOneRequest: boolean) {
    this.#read = read;
    this.#clock = clock;
    this.#isOneRequest = isOneRequest;
  }

  /** The stamps for a call that has not run its resolver yet. Never rejects; what cannot be known is missing. */
  async stamps(call: object, channels: readonly ChannelName[]): Promise<Stamps> {
    this.#started.delete(call);
    if (channels.length === 0 || this.#started.size > 0) return NO_STAMPS;
    this.#reading ??= this.#gather();
    for (const channel of channels) this.#reading.channels.add(channel);
    return this.#reading.result;
  }

  /** Lets a call that needs no stamps wait for those of the others. */
  async barrier(): Promise<void> {
    this.#reading ??= this.#gather();
    await this.#reading.result;
  }

  /** From now on the call's resolver may load something. */
  starts(call: object): void {
    if (this.#isOneRequest) this.#started.add(call);
  }

  #gather(): Reading {
    const channels = new Set<ChannelName>();
    return { channels, result: this.#readAfterThisTick(channels) };
  }

  async #readAfterThisTick(channels: ReadonlySet<ChannelName>): Promise<Stamps> {
    // A timer, not a microtask: calls with an input parser come a few microtasks later than the others.
    await new Promise<void>((resolve) => {
      this.#clock.after(0, resolve);
    });
    this.#reading = null;
    if (channels.size === 0) return NO_STAMPS;
    const stamps = await this.#read([...channels]);
    return this.#started.size > 0 ? NO_STAMPS : stamps;
  }
}
