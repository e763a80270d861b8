import { describe, expect, it } from 'vitest';
import { animatedWebp, type Frame } from '../pictures/animated-webp.ts';

/** One white pixel, as a browser's canvas writes it without loss. */
const PIXEL = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');
const frame = (change: Partial<Frame> = {}): Frame => ({
  webp: PIXEL,
  x: 0,
  y: 0,
  width: 1,
  height: 1,
  durationMs: 40,
  ...change,
});

/** The chunks of a file, with what is in them. */
function chunksOf(file: Uint8Array): [name: string, data: Buffer][] {
  const buffer = Buffer.from(file);
  const chunks: [string, Buffer][] = [];
  for (let at = 12; at < buffer.length; ) {
    const size = buffer.readUInt32LE(at + 4);
    chunks.push([buffer.toString('latin1', at, at + 4), buffer.subarray(at + 8, at + 8 + size)]);
    at += 8 + size + (size % 2);
  }
  return chunks;
}

describe('animatedWebp', () => {
  it('writes the frames one after the other, at their places and for their times', () => {
    const file = animatedWebp(300, 200, [frame(), frame({ x: 10, y: 258, width: 7, height: 1, durationMs: 70_000 })]);
    expect(Buffer.from(file).toString('latin1', 0, 4)).toBe('RIFF');
    expect(Buffer.from(file).readUInt32LE(4)).toBe(file.length - 8);
    const chunks = chunksOf(file);
    expect(chunks.map(([name]) => name)).toEqual(['VP8X', 'ANIM', 'ANMF', 'ANMF']);
    const canvas = chunks[0]![1];
    expect([canvas.readUIntLE(4, 3) + 1, canvas.readUIntLE(7, 3) + 1]).toEqual([300, 200]);
    const second = chunks[3]![1];
    const fields = [0, 3, 6, 9, 12].map((at) => second.readUIntLE(at, 3));
    expect(fields).toEqual([5, 129, 6, 0, 70_000]);
    expect(second.subarray(16)).toEqual(PIXEL.subarray(12));
  });

  it.each([
    ['an odd place', frame({ x: 3 })],
    ['what is no picture', frame({ webp: new Uint8Array(40) })],
    ['an empty file', frame({ webp: new Uint8Array() })],
  ])('refuses %s', (_, bad) => {
    expect(() => animatedWebp(10, 10, [bad])).toThrow(RangeError);
  });
});
