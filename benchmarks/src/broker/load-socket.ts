import { connect, type Socket } from 'node:net';
import { FrameParser, type ReceivedPublication } from './frames.ts';

/** Where a subscription stands. */
export interface StreamPosition {
  readonly epoch: string;
  readonly offset: number;
}

const frames = new FrameParser();

/**
 * A WebSocket client that costs as little as possible, so that the load generator is not what is measured: a plain TCP socket, frames read by hand,
 * publications counted and their offsets compared. It trusts the server to send unfragmented text frames.
 */
export class LoadSocket {
  received = 0;
  /** Publications out of order, doubled or missing, and such of another channel. */
  faults = 0;
  /** All subscriptions were recovered. */
  recovered = false;
  closed = false;
  onReply: (() => void) | undefined;
  onPublications: ((publications: readonly ReceivedPublication[]) => void) | undefined;

  readonly #channels: readonly string[];
  /** By channel; made when it is asked for or where there are several. */
  readonly #epochs = new Map<string, string>();
  readonly #offsets = new Map<string, number>();
  readonly #first: string;
  readonly #socket: Socket;
  #rest: Buffer | undefined;
  #upgraded = false;
  #connected = false;

  constructor(port: number, channels: readonly string[], connectCommand: string) {
    this.#channels = channels;
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

  /** Where the subscription of a channel stands. */
  position(channel: string): StreamPosition {
    return { epoch: this.#epochs.get(channel) ?? '', offset: this.#offsets.get(channel) ?? 0 };
  }

  send(text: string): void {
    const length = Buffer.byteLength(text, 'latin1');
    const head = length < 126 ? 6 : 8;
    // The mask is zero, so the payload stands as it is.
    const frame = Buffer.alloc(head + length);
    frame[0] = 0x81;
    if (length < 126) frame[1] = 0x80 | length;
    else {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    }
    frame.write(text, head, 'latin1');
    this.#socket.write(frame);
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
      if ((data[at]! & 0x0f) === 1) this.#frame(data, start, start + length);
      at = start + length;
    }
    if (at < data.length) this.#rest = at === 0 ? data : Buffer.from(data.subarray(at));
  }

  #frame(data: Buffer, start: number, end: number): void {
    // Replies differ from client to client: there is nothing to remember before the first one.
    if (!this.#connected) {
      this.#reply(data.toString('latin1', start, end));
      return;
    }
    const { publications, others } = frames.parse(data, start, end);
    for (const line of others) if (line === '{}') this.send('{}');
    if (publications.length === 0) return;
    for (const { channel, offset } of publications) {
      const last = this.#offsets.get(channel);
      if (last === undefined || (last !== 0 && offset !== last + 1)) this.faults++;
      this.#offsets.set(channel, offset);
    }
    this.received += publications.length;
    this.onPublications?.(publications);
  }

  #reply(text: string): void {
    this.#connected = true;
    const reply = JSON.parse(text) as {
      connect?: { subs?: Record<string, { epoch?: string; offset?: number; recovered?: boolean }> };
    };
    const subs = reply.connect?.subs;
    if (!subs || !this.#channels.every((channel) => subs[channel])) {
      this.#socket.destroy();
      return;
    }
    for (const channel of this.#channels) {
      this.#epochs.set(channel, subs[channel]!.epoch ?? '');
      this.#offsets.set(channel, subs[channel]!.offset ?? 0);
    }
    this.recovered = this.#channels.every((channel) => subs[channel]!.recovered === true);
    this.onReply?.();
  }
}
