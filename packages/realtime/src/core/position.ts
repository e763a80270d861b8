/**
 * A place in a channel's stream, assigned by the broker. Offsets count up by one per publication inside an epoch;
 * a new epoch (restart of a memory engine, lost history) starts a new stream, and positions of two epochs cannot be compared.
 */
export interface Position {
  /** Names the life of a stream. A broker that lost it begins another; positions of two epochs cannot be compared. */
  readonly epoch: string;
  /** Counts the publications of the stream, from 1. A safe integer. */
  readonly offset: number;
}

/** Whether both name the same place in the same stream. */
export function isSamePosition(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.offset === b.offset;
}

/** Parses what claims to be a position. Anything but a string epoch and a whole offset ≥ 0 is `null`. */
export function parsePosition(value: unknown): Position | null {
  if (typeof value !== 'object' || value === null) return null;
  const { epoch, offset } = value as { epoch?: unknown; offset?: unknown };
  if (typeof epoch !== 'string' || !Number.isSafeInteger(offset) || (offset as number) < 0) return null;
  return { epoch, offset: offset as number };
}

/** The older of two; `null`, which is older than any, where one is not known or they cannot be compared. */
export function olderPosition(a: Position | null, b: Position | null): Position | null {
  return a && b && a.epoch === b.epoch ? (a.offset < b.offset ? a : b) : null;
}
