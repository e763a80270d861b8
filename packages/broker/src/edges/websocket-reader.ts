import { MAX_CONTROL_BYTES, Opcodes } from './websocket-frame.ts';

/** Why a server ends a connection whose frames are wrong (RFC 6455 §7.4.1). */
const Breaches = { Protocol: 1002, TooBig: 1009 } as const;
export type Breach = (typeof Breaches)[keyof typeof Breaches];

/** What the frames of a client mean. After `onClosed` and `onBreach` nothing more comes. */
export interface FrameListener {
  /** A whole message, text or binary. The bytes are only valid during the call, unless it copies them. */
  onMessage(payload: Buffer): void;
  onPing(payload: Buffer): void;
  onPong(): void;
  /** A close frame. @param code `undefined` where it says nothing */
  onClosed(code: number | undefined): void;
  /** The client broke the protocol, or its message is larger than it may be. */
  onBreach(code: Breach): void;
}

/** Collects bytes that arrive in parts. Grows by doubling, so that a client that sends byte by byte costs no more than one that does not. */
class Parts {
  #bytes: Buffer;
  #length = 0;

  constructor(first: Buffer) {
    this.#bytes = Buffer.allocUnsafe(Math.max(first.length, 64));
    this.add(first);
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  add(part: Buffer): void {
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}

/** Close codes that may stand in a frame (§7.4). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

function unmask(bytes: Buffer, start: number, end: number, mask: number): void {
  if (mask === 0) return;
  const key = [mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff];
  for (let i = start; i < end; i++) bytes[i]! ^= key[(i - start) & 3]!;
}

/**
 * Reads the frames of one client (RFC 6455 §5), without extensions. Takes bytes as they arrive and keeps none that it does not need: for a frame that
 * comes in one piece, which most do, it allocates nothing.
 */
export class WebSocketReader {
  readonly #maxBytes: number;
  readonly #listener: FrameListener;
  /** The beginning of a frame whose end has not come, and how many bytes are needed before it is worth looking again. */
  #rest: Parts | undefined = undefined;
  #needed = 0;
  /** The fragments so far of a message that is not complete. */
  #message: Parts | undefined = undefined;
  #isDone = false;

  constructor(maxBytes: number, listener: FrameListener) {
    this.#maxBytes = maxBytes;
    this.#listener = listener;
  }

  /** Takes what arrived. The bytes are unmasked in place. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest) {
      this.#rest.add(chunk);
      if (this.#rest.length < this.#needed) return;
      bytes = this.#rest.bytes;
      this.#rest = undefined;
    }
    let at = 0;
    while (at < bytes.length && !this.#isDone) {
      const needed = this.#frameLength(bytes, at);
      if (this.#isDone) return;
      if (at + needed > bytes.length) {
        this.#rest = new Parts(bytes.subarray(at));
        this.#needed = needed;
        return;
      }
      this.#frame(bytes, at, at + needed);
      at += needed;
    }
  }

  /** Bytes of the frame that begins here; of as much of it as must be there to tell, while that is not. Looks at the head as early as it can. */
  #frameLength(bytes: Buffer, at: number): number {
    const first = bytes[at]!;
    const second = bytes[at + 1];
    if (second === undefined) return 2;
    const opcode = first & 0x0f;
    const isFinal = first >= 0x80;
    const short = second & 0x7f;
    const isControl = opcode >= 8;
    const isKnown = isControl ? opcode <= Opcodes.Pong : opcode <= Opcodes.Binary;
    // The reserved bits belong to extensions, and none was negotiated. A client must mask.
    if ((first & 0x70) !== 0 || !isKnown || second < 0x80) return this.#breach(Breaches.Protocol);
    if (isControl && (!isFinal || short > MAX_CONTROL_BYTES)) return this.#breach(Breaches.Protocol);
    // A message that is not complete must go on before another begins.
    if (!isControl && (opcode === Opcodes.Continuation) === (this.#message === undefined))
      return this.#breach(Breaches.Protocol);
    const head = short < 126 ? 6 : short === 126 ? 8 : 14;
    if (at + head > bytes.length) return head;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (!isControl && (this.#message?.length ?? 0) + length > this.#maxBytes) return this.#breach(Breaches.TooBig);
    return head + length;
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const first = bytes[at]!;
    const short = bytes[at + 1]! & 0x7f;
    const start = at + (short < 126 ? 6 : short === 126 ? 8 : 14);
    unmask(bytes, start, end, bytes.readUInt32BE(start - 4));
    const payload = bytes.subarray(start, end);
    const opcode = first & 0x0f;
    if (opcode === Opcodes.Ping) this.#listener.onPing(payload);
    else if (opcode === Opcodes.Close) this.#close(payload);
    else if (opcode === Opcodes.Pong) this.#listener.onPong();
    else this.#fragment(payload, first >= 0x80);
  }

  #fragment(payload: Buffer, isFinal: boolean): void {
    const message = this.#message;
    message?.add(payload);
    if (!isFinal) {
      this.#message ??= new Parts(payload);
      return;
    }
    this.#message = undefined;
    this.#listener.onMessage(message ? message.bytes : payload);
  }

  #close(payload: Buffer): void {
    if (payload.length === 0) {
      this.#isDone = true;
      this.#listener.onClosed(undefined);
      return;
    }
    const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
    if (!isCloseCode(code)) {
      this.#breach(Breaches.Protocol);
      return;
    }
    this.#isDone = true;
    this.#listener.onClosed(code);
  }

  #breach(code: Breach): number {
    this.#isDone = true;
    this.#listener.onBreach(code);
    return 0;
  }
}
