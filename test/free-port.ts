import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere), so that no connection of anybody takes one meanwhile. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

/**
 * A port of the loopback interface that is free, and that nobody else who asks here is given before this process ends: also not while its server is dead.
 * Held by its UDP twin, which the system itself gives up with the process.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const hold = createSocket('udp4').unref();
    const isOurs = await new Promise<boolean>((resolve) => {
      hold.once('error', () => resolve(false));
      hold.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    if (isOurs && (await isFree(port))) return port;
    hold.close();
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isListening) return false;
  probe.close();
  await once(probe, 'close');
  return true;
}
