import type { Position } from '../core/position.ts';

/**
 * Streams that did not exist yet when they were joined, as with Centrifugo's PostgreSQL broker for a channel that was never used, or not for long: the join
 * names no epoch, and the stream's first publication brings it. The SDK keeps that to itself, so it is read from the frame.
 *
 * The empty epoch is no epoch like any other: it stands for every time without a stream. Whoever was away may have missed a whole stream between two of them,
 * so a rejoin that finds it again proves nothing. But where the first publication comes while joined, nothing lies between.
 */
export class UnnamedStreams {
  readonly #unnamed = new Set<string>();
  /** What came with first publications that the SDK has not handed on yet. */
  readonly #epochs = new Map<string, string>();

  /** @param position of the join */
  joined(channel: string, position: Position | undefined): void {
    if (position?.epoch === '') this.#unnamed.add(channel);
    else this.#unnamed.delete(channel);
  }

  left(channel: string): void {
    this.#unnamed.delete(channel);
    this.#epochs.delete(channel);
  }

  /** A frame comes: JSON, one reply a line. Publications but the first of a stream name no epoch, so few are read twice. */
  look(frame: unknown): void {
    if (typeof frame !== 'string' || !frame.includes('"epoch"')) return;
    for (const line of frame.split('\n')) {
      if (!line.includes('"push"') || !line.includes('"epoch"')) continue;
      const { push } = JSON.parse(line) as { push?: { channel?: unknown; pub?: { epoch?: unknown } } };
      const epoch = push?.pub?.epoch;
      if (typeof push?.channel === 'string' && typeof epoch === 'string') this.#epochs.set(push.channel, epoch);
    }
  }

  /** A live publication is handed on. Where the stream stood when it was joined, told once: before its first publication. */
  begun(channel: string, offset: number | undefined): Position | null {
    const epoch = this.#epochs.get(channel);
    this.#epochs.delete(channel);
    return this.#unnamed.delete(channel) && epoch && offset === 1 ? { epoch, offset: 0 } : null;
  }
}
