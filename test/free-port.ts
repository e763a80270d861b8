import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere), so that no connection of anybody takes one meanwhile. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;
/** Each process begins elsewhere: two that ask at the same moment get different ones. */
const PORTS_PER_PROCESS = 50;

let next = process.pid * PORTS_PER_PROCESS;

/** A port of the loopback interface that is free, and stays so until its server starts, and while that is restarted. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (next++ % PORTS);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
