/**
 * Writes animated WebP from still ones: https://developers.google.com/speed/webp/docs/riff_container. Every program that shows WebP shows these, in a README too.
 */

/** A part of the picture from one moment on. */
export interface Frame {
  /** A still WebP with nothing but its image: what a browser's canvas makes. */
  readonly webp: Uint8Array;
  /** Where it goes; both even, as the format counts in twos. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
}

const HEADER_BYTES = 12;
const HAS_ANIMATION = 0b10;
/** Drawn over what was there, not blended with it. */
const NO_BLENDING = 0b10;

/** @throws RangeError for a frame that is no still WebP, or at an odd place */
export function animatedWebp(width: number, height: number, frames: readonly Frame[]): Uint8Array {
  const canvas = chunk('VP8X', bytes([HAS_ANIMATION, 1], [0, 3], [width - 1, 3], [height - 1, 3]));
  const animation = chunk('ANIM', bytes([0, 4], [0, 2])); // no background; for ever
  const parts = frames.map((frame) => {
    if (frame.x % 2 || frame.y % 2) throw new RangeError(`A frame begins at even pixels, got ${frame.x}, ${frame.y}.`);
    const head = bytes(
      [frame.x / 2, 3],
      [frame.y / 2, 3],
      [frame.width - 1, 3],
      [frame.height - 1, 3],
      [frame.durationMs, 3],
      [NO_BLENDING, 1],
    );
    return chunk('ANMF', concat([head, imageOf(frame.webp)]));
  });
  const body = concat([ascii('WEBP'), canvas, animation, ...parts]);
  return concat([ascii('RIFF'), bytes([body.length, 4]), body]);
}

/** The chunk that holds the pixels, with its head. */
function imageOf(webp: Uint8Array): Uint8Array {
  const view = new DataView(webp.buffer, webp.byteOffset, webp.byteLength);
  for (let at = HEADER_BYTES; at + 8 <= webp.length; ) {
    const name = String.fromCharCode(...webp.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size % 2);
    if (name === 'VP8 ' || name === 'VP8L') return webp.subarray(at, end);
    at = end;
  }
  throw new RangeError('Expected a still WebP, got something without an image chunk.');
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  return concat([ascii(name), bytes([data.length, 4]), data, new Uint8Array(data.length % 2)]);
}

/** Numbers in little-endian order. */
function bytes(...fields: readonly (readonly [value: number, length: number])[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([value, length]) => Array.from({ length }, (_, at) => Math.floor(value / 2 ** (8 * at)) % 256)),
  );
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
