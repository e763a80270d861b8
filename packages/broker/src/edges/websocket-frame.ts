import { type ByteString, utf8Bytes } from '../protocol/byte-string.ts';

/** What a frame is (RFC 6455 §5.2). From 8 on they are control frames. */
export const Opcodes = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;
export type Opcode = (typeof Opcodes)[keyof typeof Opcodes];

/** Payload of a control frame at most. */
export const MAX_CONTROL_BYTES = 125;

const FINAL = 0x80;

/** One unmasked, unfragmented WebSocket frame (RFC 6455 §5.2). */
export function websocketFrame(opcode: Opcode, payload: ByteString): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = FINAL | opcode;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(payload, head, 'latin1');
  return frame;
}

/** A close frame (§5.5.1); without a code it says nothing. */
export function closeFrame(code?: number, reason = ''): Buffer {
  const bytes = code === undefined ? '' : String.fromCharCode(code >> 8, code & 0xff) + utf8Bytes(reason);
  return websocketFrame(Opcodes.Close, bytes);
}
