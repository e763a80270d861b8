import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, startBroker } from '../broker.ts';

let broker: Broker;
beforeEach(async () => {
  broker = await startBroker({
    port: 0,
    httpApi: { key: 'key' },
    channel: { namespaces: { open: { historySize: 9, historyTtlMs: 60_000 } } },
  });
});
afterEach(() => broker.close());

function call(method: string, body: string, key = 'key'): string {
  return `POST /api/${method} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
const publish = (channel: string) => call('publish', JSON.stringify({ channel, data: {} }));

async function dial(): Promise<Socket> {
  const socket = connect(broker.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the broker ends the connection. */
async function answers(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return text;
}

describe('API calls on one connection', () => {
  it('are answered in their order, also before one that Node serves', async () => {
    const socket = await dial();
    const all = answers(socket);
    socket.write(
      publish('open:1') +
        publish('closed:1') +
        call('info', '{}') +
        'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    const [first, second, third, fourth] = (await all).split(/(?=HTTP\/1\.1 )/);
    expect(first).toContain('"offset"');
    expect(second).toContain('"code":102');
    expect(third).toContain('"nodes"');
    expect(fourth).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('are answered before one without the key ends the connection', async () => {
    const socket = await dial();
    const all = answers(socket);
    socket.write(publish('open:1') + call('publish', '{}', 'guess') + publish('open:2'));
    expect((await all).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
  });

  it('are answered to who says with them that it will say no more', async () => {
    for (const chunks of [1, 2]) {
      const socket = await dial();
      const all = answers(socket);
      if (chunks === 2) socket.write(publish('open:1'));
      socket.end(publish('open:2'));
      expect((await all).match(/HTTP\/1\.1 \d+/g)).toEqual(Array(chunks).fill('HTTP/1.1 200'));
    }
  });

  it('of who is gone disturb nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = await dial();
      socket.on('error', () => {});
      socket.write(publish('open:1').repeat(20));
      socket.resetAndDestroy();
    }
    const socket = await dial();
    const all = answers(socket);
    socket.end(publish('open:1'));
    expect(await all).toMatch(/^HTTP\/1\.1 200 /);
  });
});
