import { describe, expect, it } from 'vitest';
import { Opcodes, websocketFrame } from './websocket-frame.ts';

describe('a frame', () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 255, 255]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('of %i bytes says so', (length, head) => {
    const frame = websocketFrame(Opcodes.Text, 'x'.repeat(length));
    expect([...frame.subarray(0, head.length)]).toEqual(head);
    expect(frame.length).toBe(head.length + length);
  });

  it('carries bytes as they are', () => {
    const bytes = Array.from({ length: 100 }, (_, i) => i * 2);
    expect([...websocketFrame(Opcodes.Binary, String.fromCharCode(...bytes))]).toEqual([0x82, 100, ...bytes]);
  });
});
