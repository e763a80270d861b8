import type { ByteString } from '../protocol/byte-string.ts';

const TEXT = 0x81;
const BINARY = 0x82;

/** One unmasked, unfragmented WebSocket frame (RFC 6455 §5.2). */
export function websocketFrame(isBinary: boolean, payload: ByteString): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = isBinary ? BINARY : TEXT;
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
