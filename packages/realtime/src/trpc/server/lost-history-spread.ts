import type { Clock } from '../../core/clock.ts';
import type { Realtime } from '../../server/realtime.ts';
import { roomFor, type ScopeSpread } from '../../server/spread.ts';

/** How often the connections are counted at most: a survey over all nodes of the broker. */
const COUNT_EVERY_MS = 10_000;

/**
 * How much room the tabs need when the broker loses its history: then every query in use is refetched, whatever it is bound to, so all connections count and not the
 * subscribers of a channel. A tab cannot ask when it happens; so each answer tells what it was last, and no answer waits for it.
 */
export class LostHistorySpread {
  readonly #realtime: Pick<Realtime, 'connectionCount'>;
  readonly #clock: Clock;
  readonly #room: ScopeSpread | false;
  #countedAt = Number.NEGATIVE_INFINITY;
  #connections = 0;

  constructor(realtime: Pick<Realtime, 'connectionCount'>, clock: Clock, room: ScopeSpread | false) {
    this.#realtime = realtime;
    this.#clock = clock;
    this.#room = room;
  }

  /** In milliseconds; 0 until the first count is there, and where the last one says that there is no need. */
  now(): number {
    if (!this.#room) return 0;
    if (this.#clock.now() - this.#countedAt >= COUNT_EVERY_MS) {
      this.#countedAt = this.#clock.now();
      void this.#count();
    }
    return roomFor(this.#connections, this.#room);
  }
  /** Never rejects: what cannot be counted stays as it was, and a broker that is down is just what the last count is for. */
  async #count(): Promise<void> {
    try {
      this.#connections = await this.#realtime.connectionCount();
    } catch {
      // The queries of this process tell of a broker that is down themselves.
    }
  }
}
