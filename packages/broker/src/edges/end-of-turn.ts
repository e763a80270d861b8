/** Somebody who has something to write. */
export interface TurnWriter {
  writeNow(): void;
}

/**
 * Lets writers write when the event loop has read all that has arrived. The first write of a turn wakes the other side's process, which costs more
 * than the write; with all of them in a row it happens once. With 32 connections of one application this took 7 to 13 % off a publication.
 */
export class EndOfTurn {
  #writers: TurnWriter[] = [];

  /** Calls the writer once, after what else is done in this turn. */
  add(writer: TurnWriter): void {
    if (this.#writers.length === 0) setImmediate(this.#write);
    this.#writers.push(writer);
  }

  readonly #write = (): void => {
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.writeNow();
  };
}
