import type { LookupFunction } from 'node:net';
import WebSocket from 'ws';
import type { Clock } from '../../core/clock.ts';
import { isRecord } from '../../core/is-record.ts';
import { networkCode } from './http-probe.ts';

// The wire itself and not the SDK, which hides what a doctor wants to know: the HTTP status of a refused upgrade, each reply, each close code.
// https://centrifugal.dev/docs/transports/client_protocol

/** What became of an attempt to open a WebSocket. */
export type Opening =
  | { readonly kind: 'open'; readonly socket: WireSocket }
  /** An HTTP answer instead of an upgrade. */
  | { readonly kind: 'refused'; readonly status: number }
  /** `code` such as `ECONNREFUSED`, or empty. */
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timeout' };

/** What came for a command. */
export type Reply =
  | { readonly kind: 'result'; readonly result: Readonly<Record<string, unknown>> }
  /** An error of Centrifugo: 103 permission denied … */
  | { readonly kind: 'error'; readonly code: number }
  /** The connection was closed with this code: 3500 invalid token … */
  | { readonly kind: 'closed'; readonly code: number }
  | { readonly kind: 'timeout' };

interface OpenOptions {
  readonly url: URL;
  /** The `Origin` header, which browsers always send. */
  readonly origin?: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly lookup?: LookupFunction | undefined;
}

/** Opens a WebSocket; never rejects. */
export function openSocket({ url, origin, timeoutMs, clock, lookup }: OpenOptions): Promise<Opening> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      ...(origin !== undefined && { origin }),
      ...(lookup && { lookup }),
    });
    const settle = (opening: Opening) => {
      cancel();
      if (opening.kind !== 'open') socket.terminate();
      resolve(opening);
    };
    const cancel = clock.after(timeoutMs, () => settle({ kind: 'timeout' }));
    socket.once('open', () => settle({ kind: 'open', socket: new WireSocket(socket, timeoutMs, clock) }));
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      settle({ kind: 'refused', status: response.statusCode ?? 0 });
    });
    socket.on('error', (error) => settle({ kind: 'unreachable', code: networkCode(error) }));
  });
}

/** What is used of a socket of `ws`: its types would otherwise be needed by whoever imports the declarations. */
interface Socket {
  on(event: 'message', listener: (data: unknown) => void): unknown;
  on(event: 'close', listener: (code: number) => void): unknown;
  send(text: string): void;
  terminate(): void;
}

/** A WebSocket that speaks Centrifugo's JSON protocol, one command at a time. */
export class WireSocket {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #pushes: Record<string, unknown>[] = [];
  readonly #watchers = new Set<() => void>();
  #closeCode: number | undefined;
  #lastId = 0;

  constructor(socket: Socket, timeoutMs: number, clock: Clock) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    socket.on('message', (data) => {
      for (const line of String(data).split('\n')) if (line !== '') this.#receive(line);
    });
    socket.on('close', (code) => {
      this.#closeCode = code;
      for (const settle of this.#waiting.values()) settle({ kind: 'closed', code });
      this.#waiting.clear();
      for (const watcher of this.#watchers) watcher();
    });
  }

  get isOpen(): boolean {
    return this.#closeCode === undefined;
  }

  /** Sends one command, such as `('connect', { token })`; never rejects. */
  call(method: string, params: Readonly<Record<string, unknown>>): Promise<Reply> {
    if (this.#closeCode !== undefined) return Promise.resolve({ kind: 'closed', code: this.#closeCode });
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(this.#timeoutMs, () => {
        this.#waiting.delete(id);
        resolve({ kind: 'timeout' });
      });
      this.#waiting.set(id, (reply) => {
        cancel();
        resolve(
          reply.kind === 'result' && isRecord(reply.result[method])
            ? { ...reply, result: reply.result[method] }
            : reply,
        );
      });
      this.#socket.send(JSON.stringify({ id, [method]: params }));
    });
  }

  /** Whether a publication of this channel came, or comes in time. */
  received(channel: string): Promise<boolean> {
    const isThere = () => this.#pushes.some((push) => push.channel === channel && isRecord(push.pub));
    return new Promise((resolve) => {
      const settle = (answer: boolean) => {
        cancel();
        this.#watchers.delete(look);
        resolve(answer);
      };
      const look = () => {
        if (isThere()) settle(true);
        else if (!this.isOpen) settle(false);
      };
      const cancel = this.#clock.after(this.#timeoutMs, () => settle(false));
      this.#watchers.add(look);
      look();
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(line: string): void {
    const message = parse(line);
    if (!message) return;
    const { id, error, push } = message;
    if (typeof id === 'number') {
      const settle = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (isRecord(error)) settle?.({ kind: 'error', code: typeof error.code === 'number' ? error.code : 0 });
      else settle?.({ kind: 'result', result: message });
    } else if (isRecord(push)) {
      this.#pushes.push(push);
      for (const watcher of this.#watchers) watcher();
    } else if (Object.keys(message).length === 0) this.#socket.send('{}'); // a ping
  }
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null; // not Centrifugo's protocol: the command stays without a reply
  }
}
