import { ApiConnection } from './api-connection.ts';
import type { TargetAddress } from './case.ts';
import { LoadSocket } from './load-socket.ts';
import { API_KEY, connectionToken } from './settings.ts';

/** 100 bytes of payload beside the time stamp: about what an invalidation weighs. */
const FILLER = 'x'.repeat(100);

export function publishBody(channel: string): string {
  return `{"channel":"${channel}","data":{"t":${performance.now()},"f":"${FILLER}"}}`;
}

/** Milliseconds since the publication was handed to the API. */
export function latencyMs(text: string, start: number): number {
  const at = text.indexOf('"t":', start) + 4;
  return performance.now() - Number.parseFloat(text.substring(at, at + 20));
}

export interface ConnectOptions {
  /** How many handshakes may be under way at once. */
  readonly concurrency: number;
  readonly channelOf: (index: number) => string;
  /** For reconnects: the position that each socket had. */
  readonly positionOf?: (index: number) => { epoch: string; offset: number };
}

/** Opens sockets and waits until every one is connected and subscribed. */
export async function connectAll(target: TargetAddress, count: number, options: ConnectOptions): Promise<LoadSocket[]> {
  const tokens = Array.from({ length: count }, (_, at) => connectionToken(String(at), options.channelOf(at)));
  const sockets: LoadSocket[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const channel = options.channelOf(at);
      const position = options.positionOf?.(at);
      const subs = position
        ? `,"subs":{"${channel}":{"recover":true,"epoch":"${position.epoch}","offset":${position.offset}}}`
        : '';
      await new Promise<void>((resolve, reject) => {
        const socket = new LoadSocket(target.port, channel, `{"id":1,"connect":{"token":"${tokens[at]}"${subs}}}`);
        socket.onReply = resolve;
        sockets[at] = socket;
        setTimeout(() => reject(new Error(`socket ${at} got no answer within 60 s`)), 60_000).unref();
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, options.concurrency) }, one));
  return sockets;
}

export function openApi(target: TargetAddress, connections: number): ApiConnection[] {
  return Array.from({ length: connections }, () => new ApiConnection(target.port, API_KEY));
}

/** Waits for a condition; fails after a minute, so that a lost publication shows and does not hang. */
export async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
