import { connect, type Socket } from 'node:net';

/**
 * A WebSocket client that costs as little as possible, so that the load generator is not what is measured: a plain TCP socket, frames read by hand,
 * publications counted and their offsets compared, nothing parsed as JSON. It trusts the server to send unfragmented text frames.
 */
export class LoadSocket {
  /** Offset of the last publication, 0 before the first. */
  offset = 0;
  epoch = '';
  received = 0;
  /** Publications out of order, doubled or missing, and such of another channel. */
  faults = 0;
  recovered = false;
  closed = false;
  onReply: (() => void) | undefined;
  onPublication: ((text: string, start: number) => void) | undefined;

  readonly channel: string;
  readonly #prefix: string;
  readonly #first: string;
  readonly #socket: Socket;
  #rest: Buffer | undefined;
  #upgraded = false;
  #connected = false;

  constructor(port: number, channel: string, connectCommand: string) {
    this.channel = channel;
    this.#prefix = `{"push":{"channel":"${channel}"`;
    this.#first = connectCommand;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.write(
      'GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): void {
    const payload = Buffer.from(text, 'latin1');
    const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    head[0] = 0x81;
    if (payload.length < 126) head[1] = 0x80 | payload.length;
    else {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(payload.length, 2);
    }
    // The mask is zero, so the payload stands as it is.
    this.#socket.write(Buffer.concat([head, payload]));
  }

  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    let data = chunk;
    if (this.#rest) {
      data = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    let at = 0;
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      if (!data.toString('latin1', 0, 12).endsWith('101')) {
        this.#socket.destroy();
        return;
      }
      this.#upgraded = true;
      at = end + 4;
      this.send(this.#first);
    }
    while (data.length - at >= 2) {
      let length = data[at + 1]! & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (data.length < at + 4) break;
        length = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (data.length < at + 10) break;
        length = data.readUInt32BE(at + 6);
        start = at + 10;
      }
      if (data.length < start + length) break;
      if ((data[at]! & 0x0f) === 1) this.#text(data.toString('latin1', start, start + length));
      at = start + length;
    }
    if (at < data.length) this.#rest = at === 0 ? data : Buffer.from(data.subarray(at));
  }

  #text(text: string): void {
    let start = 0;
    while (start < text.length) {
      let end = text.indexOf('\n', start);
      if (end < 0) end = text.length;
      if (end - start === 2) this.send('{}');
      else if (text.charCodeAt(start + 2) === 112 /* p, of push */) this.#publication(text, start);
      else if (!this.#connected) this.#reply(text.slice(start, end));
      start = end + 1;
    }
  }

  #publication(text: string, start: number): void {
    const at = text.indexOf('"offset":', start);
    const offset = Number.parseInt(text.substring(at + 9, at + 20), 10);
    if (at < 0 || !text.startsWith(this.#prefix, start) || (this.offset !== 0 && offset !== this.offset + 1))
      this.faults++;
    this.offset = offset;
    this.received++;
    this.onPublication?.(text, start);
  }

  #reply(text: string): void {
    this.#connected = true;
    const reply = JSON.parse(text) as {
      connect?: {
        subs?: Record<string, { epoch?: string; offset?: number; recovered?: boolean; publications?: unknown[] }>;
      };
    };
    const sub = reply.connect?.subs?.[this.channel];
    if (!sub) {
      this.#socket.destroy();
      return;
    }
    this.epoch = sub.epoch ?? '';
    this.offset = sub.offset ?? 0;
    this.recovered = sub.recovered === true;
    this.onReply?.();
  }
}
