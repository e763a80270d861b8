import type { Server } from 'node:http';
import { connect } from 'node:net';

/** Only this machine may reach the demo: it has no passwords. */
export const LOOPBACK = '127.0.0.1';

const ATTEMPTS = 50;

/**
 * Listens on `port`, or on the next one that is free; 0 lets the system choose.
 * @returns the port taken
 */
export async function listenFrom(server: Server, port: number): Promise<number> {
  for (let candidate = port; candidate < port + ATTEMPTS && candidate <= 65_535; candidate++) {
    if (candidate !== 0 && (await isTaken(candidate))) continue;
    try {
      return await listen(server, candidate);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`No free port from ${port} on. Set PORT to another one, or to 0 for any.`);
}

/** A server on the other loopback address, or on all of them (macOS), would not stop us from binding, but browsers would reach it instead. */
async function isTaken(port: number): Promise<boolean> {
  const answers = await Promise.all([LOOPBACK, '::1'].map((host) => answersAt(host, port)));
  return answers.includes(true);
}

function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
    socket.setTimeout(500, () => settle(false));
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
