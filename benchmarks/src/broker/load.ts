import { ApiConnection } from './api-connection.ts';
import type { TargetAddress } from './case.ts';
import { LoadSocket, type StreamPosition } from './load-socket.ts';
import { API_KEY, connectionToken } from './settings.ts';

/** 100 bytes of payload beside the time stamp: about what an invalidation weighs. */
const FILLER = 'x'.repeat(100);

export function publishBody(channel: string): string {
  return `{"channel":"${channel}","data":{"t":${performance.now()},"f":"${FILLER}"}}`;
}

/** A client to connect: made before the clock starts, because clients get their tokens from the application. */
export interface LoadClient {
  readonly channels: readonly string[];
  readonly token: string;
  /** For reconnects: the position that it had in its first channel. */
  readonly position?: StreamPosition;
}

export function loadClients(count: number, channelsOf: (index: number) => readonly string[]): LoadClient[] {
  return Array.from({ length: count }, (_, at) => {
    const channels = channelsOf(at);
    return { channels, token: connectionToken(String(at), channels) };
  });
}

function connectCommand({ channels, token, position }: LoadClient): string {
  const subs = position
    ? `,"subs":{"${channels[0]}":{"recover":true,"epoch":"${position.epoch}","offset":${position.offset}}}`
    : '';
  return `{"id":1,"connect":{"token":"${token}"${subs}}}`;
}

const CONNECT_TIMEOUT_MS = 60_000;

/**
 * Opens sockets and waits until every one is connected and subscribed.
 * @param concurrency how many handshakes may be under way at once
 */
export function connectAll(
  { port }: Pick<TargetAddress, 'port'>,
  clients: readonly LoadClient[],
  concurrency: number,
): Promise<LoadSocket[]> {
  return new Promise((resolve, reject) => {
    const sockets: LoadSocket[] = [];
    let connected = 0;
    const timeout = setTimeout(
      () => reject(new Error(`${clients.length - connected} sockets got no answer within a minute`)),
      CONNECT_TIMEOUT_MS,
    );
    const next = (): void => {
      if (sockets.length === clients.length) return;
      const client = clients[sockets.length]!;
      const socket = new LoadSocket(port, client.channels, connectCommand(client));
      socket.onReply = () => {
        if (++connected < clients.length) next();
        else {
          clearTimeout(timeout);
          resolve(sockets);
        }
      };
      sockets.push(socket);
    };
    for (let i = 0; i < Math.min(concurrency, clients.length); i++) next();
  });
}

/** The same with one channel each, for cases in which connecting is not what is measured. */
export function connectTo(
  target: TargetAddress,
  count: number,
  channelOf: (index: number) => string,
): Promise<LoadSocket[]> {
  return connectAll(
    target,
    loadClients(count, (at) => [channelOf(at)]),
    50,
  );
}

export function openApi(target: TargetAddress, connections: number): ApiConnection[] {
  return Array.from({ length: connections }, () => new ApiConnection(target.port, API_KEY));
}

export function closeAll(sockets: readonly LoadSocket[], apis: readonly ApiConnection[] = []): void {
  for (const socket of sockets) socket.destroy();
  for (const api of apis) api.close();
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a condition; fails after a minute, so that a lost publication shows and does not hang. */
export async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end) return false;
    await pause(5);
  }
  return true;
}

/** Sockets that were closed, and publications that came in a wrong order, on a wrong channel, twice or not at all. */
export function faults(sockets: readonly LoadSocket[], expected?: (index: number) => number): number {
  let count = 0;
  for (const [at, socket] of sockets.entries()) {
    count += socket.faults + (socket.closed ? 1 : 0);
    if (expected) count += Math.abs(socket.received - expected(at));
  }
  return count;
}
