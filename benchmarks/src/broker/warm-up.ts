import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { closeAll, connectAll, loadClients } from './load.ts';

const CONNECTIONS = 4000;
const CHANNEL = 'warm';
const UPGRADED = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
const REPLY = `{"id":1,"connect":{"subs":{"${CHANNEL}":{"epoch":"warm","offset":1}}}}`;

/**
 * Connects to a stand-in within this process, until the generator's own code is compiled: it is a fresh process too, and what it costs while it is
 * cold is not the server's doing.
 */
export async function warmUpGenerator(): Promise<void> {
  const frame = Buffer.concat([Buffer.from([0x81, REPLY.length]), Buffer.from(REPLY)]);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.once('data', () => {
      socket.write(UPGRADED);
      socket.once('data', () => socket.write(frame));
    });
    socket.on('error', () => {});
  }).listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = loadClients(CONNECTIONS, () => [CHANNEL]);
  closeAll(await connectAll({ port }, clients, 100));
  server.close();
  await once(server, 'close');
}
