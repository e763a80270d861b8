import type { Position } from '../src/core/position.ts';

/** A broker of the model: one stream per channel, a bounded history, and a new epoch after each restart. */
export class Broker {
  readonly streams: Stream[] = [];
  readonly #id: number;
  readonly #history: number;
  #restarts = 0;

  constructor(id: number, channels: number, history: number) {
    this.#id = id;
    this.#history = history;
    for (let c = 0; c < channels; c++) this.streams.push({ top: 0, kept: [] });
  }

  /** A number per epoch; later ones of one broker are greater. */
  get epoch(): number {
    return this.#id * 16 + this.#restarts;
  }

  top(channel: number): Position {
    return { epoch: EPOCHS[this.epoch]!, offset: this.streams[channel]!.top };
  }

  append(channel: number, write: number): number {
    const stream = this.streams[channel]!;
    stream.top++;
    stream.kept.push({ offset: stream.top, write });
    if (stream.kept.length > this.#history) stream.kept.shift();
    return stream.top;
  }

  /** What a subscription that asks for recovery is answered. */
  recover(channel: number, since: Position | null): { position: Position; recovered: boolean; missed: Kept[] } {
    const top = this.top(channel);
    const { kept } = this.streams[channel]!;
    if (since && since.epoch === top.epoch && since.offset <= top.offset) {
      const missed = kept.filter(({ offset }) => offset > since.offset);
      if (missed.length === top.offset - since.offset) return { position: since, recovered: true, missed };
    }
    return { position: top, recovered: false, missed: [] };
  }

  restart(): void {
    this.#restarts++;
    for (const stream of this.streams) {
      stream.top = 0;
      stream.kept = [];
    }
  }
}

export interface Kept {
  readonly offset: number;
  readonly write: number;
}

interface Stream {
  top: number;
  kept: Kept[];
}

const EPOCHS = Array.from({ length: 32 }, (_, id) => `e${id}`);

/** The number of an epoch, for the fingerprint of a state. */
export function epochNumber(epoch: string): number {
  return EPOCHS.indexOf(epoch);
}
