import type { Position } from '../src/core/position.ts';

/**
 * What an ideal client would know about one channel, kept apart from the code under test and in the plainest form: everything it was told, and the
 * highest position heard of per epoch. It says which refetches had a reason.
 */
export class Oracle {
  /** The highest offset heard of, from anywhere: in the epoch that is followed, and in the last other one. */
  heard: Record<string, number> = {};
  /** Everything said to this tab about the channel. */
  told: { epoch: string; offset: number; write: number }[] = [];
  epoch: string | null = null;
  cursor = 0;
  /** At or below this offset of the epoch something may have been missed. */
  gap = 0;

  hear(position: Position | null): void {
    if (!position) return;
    const { epoch, offset } = position;
    for (const known in this.heard) if (known !== epoch && known !== this.epoch) delete this.heard[known];
    this.heard[epoch] = Math.max(this.heard[epoch] ?? 0, offset);
  }

  /** @param accounted the offset from which on nothing was missed, if that is before the join's position */
  join(position: Position, recovered: boolean, accounted = position.offset): void {
    const { epoch, offset } = position;
    this.hear(position);
    if (epoch === this.epoch && (offset === this.cursor || (recovered && offset < this.cursor))) return;
    this.epoch = epoch;
    this.cursor = offset;
    this.gap = accounted;
  }

  publication(offset: number, write: number): void {
    if (this.epoch === null || offset <= this.cursor) return;
    if (offset > this.cursor + 1) this.gap = offset;
    this.cursor = offset;
    this.tell({ epoch: this.epoch, offset }, write);
  }

  tell(position: Position, write: number): void {
    this.hear(position);
    this.told.push({ ...position, write });
  }

  /** Nobody needs the channel any more. */
  forget(): void {
    this.heard = {};
    this.epoch = null;
    this.cursor = 0;
    this.gap = 0;
    this.told = [];
  }

  /** Whether data with this proof contains all that the tab was told and all it may have missed. */
  contains(proof: IdealProof, concerns: (write: number) => boolean): boolean {
    if (this.epoch === null) return false;
    let needed = this.gap;
    for (const { epoch, offset, write } of this.told)
      if (epoch === this.epoch && offset > needed && concerns(write)) needed = offset;
    return (
      (proof.heard[this.epoch] ?? -1) >= needed || (proof.stamp?.epoch === this.epoch && proof.stamp.offset >= needed)
    );
  }
}

/** What an ideal client knows about its data: the stamp, and all it had heard of when the request left. */
export interface IdealProof {
  readonly stamp: Position | null;
  readonly heard: Readonly<Record<string, number>>;
}

/** A rule that did not hold. */
export interface Violation {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';
  readonly text: string;
}
