import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { portOwner } from './port-owner.ts';
import { isHealthy, probePort } from './port-probe.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const http = (answer: { status?: number; body: string }) =>
  listen(
    createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status ?? 200, { connection: 'close' }).end(answer.body);
    }),
  );

describe('what answers on a port', () => {
  it('is nothing on a free one', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await cleanups.pop()?.();
    expect(await probePort(port, 'key')).toBe('free');
    expect(await isHealthy(port)).toBe(false);
    expect(portOwner(port)).toBeUndefined();
  });

  it('is ours where the API takes the key', async () => {
    const server = createServer((request, response) => {
      const good = request.url === '/api/info' && request.method === 'POST' && request.headers['x-api-key'] === 'key';
      response.writeHead(good ? 200 : 401, { connection: 'close' }).end(good ? '{"result":{"nodes":[]}}' : '');
    });
    const port = await listen(server);
    expect(await probePort(port, 'key')).toBe('ours');
    expect(await probePort(port, 'another key')).toBe('foreign');
  });

  it.each([
    ['says 401', { status: 401, body: '' }],
    ['answers HTML to everything', { body: '<html>' }],
    ['answers an error', { body: '{"error":{"code":100}}' }],
    ['answers null', { body: 'null' }],
  ])('is foreign where it %s', async (_, answer) => {
    expect(await probePort(await http(answer), 'key')).toBe('foreign');
  });

  it('is foreign where it does not speak HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}); // the probe hangs up on it
      socket.end('SSH-2.0-x\r\n', () => socket.destroy());
    });
    const port = await listen(server);
    expect(await probePort(port, 'key')).toBe('foreign');
  });

  it('has an owner with a name and a pid', async () => {
    expect(portOwner(await http({ body: '' }))).toContain(`(pid ${process.pid})`);
  });
});
