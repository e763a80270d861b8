import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What stands in front of several nodes: one address for all of them. */
export interface Balancer {
  readonly port: number;
  /** Open connections by node, in the order of the nodes. */
  readonly open: readonly number[];
  close(): Promise<void>;
}

/** Gives connections to the nodes in turn; a node that does not answer is left out, as nginx does. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const open = ports.map(() => 0);
  const sockets = new Set<Socket>();
  let next = 0;

  function serve(client: Socket, node: number, attempts: number): void {
    const upstream = connect(ports[node]!, '127.0.0.1');
    sockets.add(upstream);
    let isOpen = false;
    upstream.once('connect', () => {
      isOpen = true;
      open[node]!++;
      client.pipe(upstream);
      upstream.pipe(client);
    });
    upstream.on('error', () => {});
    upstream.once('close', () => {
      sockets.delete(upstream);
      if (isOpen) open[node]!--;
      if (isOpen || attempts === 1) client.destroy();
      else serve(client, (node + 1) % ports.length, attempts - 1);
    });
    client.once('close', () => upstream.destroy());
  }

  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    client.once('close', () => sockets.delete(client));
    serve(client, next++ % ports.length, ports.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
