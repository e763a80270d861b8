import type { Clock } from '../core/clock.ts';

interface Join {
  /** Active queries that need the channel. */
  uses: number;
  /** Cancels the leaving that is due when nobody has needed it for a while. */
  stay: () => void;
}

/**
 * Keeps a channel joined while an active query needs it, and for a grace afterwards: a page that is left and entered again keeps its place in the stream.
 * Where the connection is full, the channel that has been unused for longest leaves at once.
 */
export class ChannelJoins {
  /** Longest unused first: a channel moves to the end when its last use ends. */
  readonly #joins = new Map<string, Join>();
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #join: (name: string) => void;
  readonly #leave: (name: string) => void;

  constructor(clock: Clock, graceMs: number, join: (name: string) => void, leave: (name: string) => void) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#join = join;
    this.#leave = leave;
  }

  hold(name: string): void {
    const join = this.#joins.get(name);
    if (join) {
      join.stay();
      join.uses++;
    } else {
      this.#joins.set(name, { uses: 1, stay: () => {} });
      this.#join(name);
    }
  }

  release(name: string): void {
    const join = this.#joins.get(name);
    if (!join || --join.uses) return;
    this.#joins.delete(name);
    this.#joins.set(name, join);
    join.stay = this.#clock.after(this.#graceMs, () => this.#end(name, join));
  }

  /** Leaves one channel that nobody needs now, if there is one. */
  makeRoom(): void {
    for (const [name, join] of this.#joins) {
      if (join.uses) continue;
      this.#end(name, join);
      break;
    }
  }

  dispose(): void {
    for (const [name, join] of this.#joins) this.#end(name, join);
  }

  #end(name: string, join: Join): void {
    join.stay();
    this.#joins.delete(name);
    this.#leave(name);
  }
}
