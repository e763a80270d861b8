import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a server, for faults that only a network makes. */
export interface FaultyProxy {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Resets every open connection. */
  cut(): void;
  /** From now on nothing passes on the connections that are open, and neither side notices. New ones work. */
  stall(): void;
  /** Refuses new connections, or takes them again. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

export async function startFaultyProxy(targetPort: number, host = '127.0.0.1'): Promise<FaultyProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let accepted = 0;
  let isRefusing = false;
  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    accepted++;
    const upstream = connect(targetPort, host);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) {
      socket.on('close', end);
      socket.on('error', end);
    }
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    cut: () => {
      for (const [client, upstream] of pairs) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    stall: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        // Read and thrown away: a full buffer would be noticed.
        client.resume();
        upstream.resume();
      }
    },
    refuse: (next) => {
      isRefusing = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const [client, upstream] of pairs) {
          client.destroy();
          upstream.destroy();
        }
      }),
  };
}
