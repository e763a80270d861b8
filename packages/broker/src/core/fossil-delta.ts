import type { ByteString } from '../protocol/byte-string.ts';

/**
 * Fossil's delta format: a text that says how to make a target of a source, by copying from the source and inserting.
 * Algorithm and format: https://fossil-scm.org/home/doc/tip/www/delta_encoder_algorithm.wiki and delta_format.wiki there.
 */

const BLOCK = 16;
/** Blocks with the same hash that are tried for one place. */
const MAX_TRIES = 250;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

/** A number in base 64, as the format writes it. */
function digits(value: number): string {
  if (value === 0) return '0';
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / 64)) text = DIGITS[rest % 64] + text;
  return text;
}

/** Sum of the bytes as 32-bit words, the first byte of each the highest. */
function checksum(bytes: ByteString): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (sum + (bytes.charCodeAt(i) << (24 - (i % 4) * 8))) >>> 0;
  return sum;
}

/** A hash over a window of one block that can be moved on by one byte. */
class RollingHash {
  #a = 0;
  #b = 0;
  #bytes: ByteString = '';
  #at = 0;

  start(bytes: ByteString, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#a = 0;
    this.#b = 0;
    for (let i = 0; i < BLOCK; i++) {
      const byte = bytes.charCodeAt(at + i);
      this.#a = (this.#a + byte) & 0xffff;
      this.#b = (this.#b + (BLOCK - i) * byte) & 0xffff;
    }
  }

  next(): void {
    const gone = this.#bytes.charCodeAt(this.#at);
    const come = this.#bytes.charCodeAt(this.#at + BLOCK);
    this.#at++;
    this.#a = (this.#a - gone + come) & 0xffff;
    this.#b = (this.#b - BLOCK * gone + this.#a) & 0xffff;
  }

  get value(): number {
    return (this.#a | (this.#b << 16)) >>> 0;
  }
}

/** The blocks of a source by their hash. */
class BlockIndex {
  readonly #count: number;
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  constructor(source: ByteString, hash: RollingHash) {
    this.#count = Math.floor(source.length / BLOCK);
    this.#first = new Int32Array(this.#count).fill(-1);
    this.#next = new Int32Array(this.#count).fill(-1);
    for (let at = 0; at < source.length - BLOCK; at += BLOCK) {
      hash.start(source, at);
      const slot = hash.value % this.#count;
      this.#next[at / BLOCK] = this.#first[slot]!;
      this.#first[slot] = at / BLOCK;
    }
  }

  /** Places of blocks that may be equal to the one that was hashed, the last ones first. */
  *candidates(hash: number): Iterable<number> {
    let block = this.#first[hash % this.#count]!;
    for (let tries = 0; block >= 0 && tries < MAX_TRIES; tries++) {
      yield block * BLOCK;
      block = this.#next[block]!;
    }
  }
}

interface Match {
  /** Where in the source it begins. */
  readonly offset: number;
  readonly length: number;
  /** Bytes of the target before it that are not in the source. */
  readonly literal: number;
}

/** The longest copy around one candidate, if writing it is shorter than writing what it copies. */
function matchAt(
  source: ByteString,
  target: ByteString,
  from: number,
  at: number,
  candidate: number,
): Match | undefined {
  let forward = 0;
  while (
    candidate + forward < source.length &&
    at + forward < target.length &&
    source.charCodeAt(candidate + forward) === target.charCodeAt(at + forward)
  )
    forward++;
  let backward = 1;
  while (
    backward < candidate &&
    backward <= at - from &&
    source.charCodeAt(candidate - backward) === target.charCodeAt(at - backward)
  )
    backward++;
  backward--;
  const match = { offset: candidate - backward, length: forward + backward, literal: at - from - backward };
  const cost = digits(match.literal).length + digits(match.length).length + digits(match.offset).length + 3;
  return match.length >= cost ? match : undefined;
}

/** The text that makes `target` of `source`. It may be longer than the target. */
export function createFossilDelta(source: ByteString, target: ByteString): ByteString {
  let delta = `${digits(target.length)}\n`;
  let base = 0;
  const insert = (end: number) => {
    if (end > base) delta += `${digits(end - base)}:${target.slice(base, end)}`;
    base = end;
  };
  if (source.length > BLOCK) {
    const hash = new RollingHash();
    const index = new BlockIndex(source, hash);
    while (base + BLOCK < target.length) {
      const match = findMatch(source, target, base, hash, index);
      if (!match) break;
      insert(base + match.literal);
      delta += `${digits(match.length)}@${digits(match.offset)},`;
      base += match.length;
    }
  }
  insert(target.length);
  return `${delta}${digits(checksum(target))};`;
}

/** The best copy at the first place behind `base` that has one. */
function findMatch(
  source: ByteString,
  target: ByteString,
  base: number,
  hash: RollingHash,
  index: BlockIndex,
): Match | undefined {
  hash.start(target, base);
  for (let at = base; ; at++) {
    let best: Match | undefined;
    for (const candidate of index.candidates(hash.value)) {
      const match = matchAt(source, target, base, at, candidate);
      if (match && match.length > (best?.length ?? 0)) best = match;
    }
    if (best) return best;
    if (at + BLOCK >= target.length) return undefined;
    hash.next();
  }
}
