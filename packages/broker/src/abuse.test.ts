import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createEngine, NAMESPACES } from '../test/engine-harness.ts';
import { SECRET, signToken } from '../test/tokens.ts';
import { VirtualClock } from '../test/virtual-clock.ts';
import { type Broker, startBroker } from './broker.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(clock?: VirtualClock): Promise<Broker> {
  const broker = await startBroker(
    {
      port: 0,
      httpApi: { key: 'key' },
      client: { token: { hmacSecretKey: SECRET } },
      channel: { namespaces: NAMESPACES },
      uniSse: { enabled: true },
      uniWebsocket: { enabled: true },
      shutdown: { timeoutMs: clock ? 0 : 1000 },
    },
    // The first ping comes after half to a whole interval: on a virtual clock always after nearly a whole one.
    clock ? { clock, random: () => 0.999 } : {},
  );
  cleanUps.push(() => broker.close());
  return broker;
}

async function dial(broker: Broker): Promise<Socket> {
  const socket = connectTcp(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function upgraded(broker: Broker, path = '/connection/websocket'): Promise<Socket> {
  const socket = await dial(broker);
  socket.write(
    `GET ${path} HTTP/1.1\r\n` +
      'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

/** A client frame; the mask is zero, so the payload stands as it is. */
function frame(opcode: number, payload: string, isFinal = true): Buffer {
  const { length } = payload;
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, ...bytes32(length)];
  return Buffer.concat([
    Buffer.from([(isFinal ? 0x80 : 0) | opcode, 0x80 | size[0]!, ...size.slice(1), 0, 0, 0, 0]),
    Buffer.from(payload, 'latin1'),
  ]);
}
const bytes32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const CONNECT = () => frame(1, `{"id":1,"connect":{"token":"${signToken({ sub: 'u1' })}"}}`);

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Writes for as long as the other side takes it, at most so many times. */
async function pour(socket: Socket, chunk: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times && !socket.destroyed && socket.writableLength < 1_000_000; i++) {
    socket.write(chunk);
    await settled();
  }
}

describe('breaches of the WebSocket protocol close with the code of the RFC', () => {
  it.each<[string, () => Buffer, number]>([
    ['an unmasked frame', () => Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
    ['an unknown opcode', () => frame(5, ''), 1002],
    ['a reserved bit', () => Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002],
    ['a continuation of nothing', () => frame(0, 'x'), 1002],
    ['a fragmented ping', () => frame(9, 'x', false), 1002],
    ['a ping of 126 bytes', () => frame(9, 'x'.repeat(126)), 1002],
    [
      'a length that is too large',
      () => Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]),
      1009,
    ],
    [
      'fragments that are too large together',
      () => Buffer.concat([frame(1, 'x'.repeat(40_000), false), frame(0, 'x'.repeat(40_000))]),
      1009,
    ],
  ])('%s', async (_name, bytes, code) => {
    const broker = await start();
    const socket = await upgraded(broker);
    socket.write(bytes());
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, code]);
  });
});

describe('connections that do nothing, or little', () => {
  const CHUNKED =
    'POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n';
  const COMPLETE = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each<[string, string, string, number]>([
    ['nothing', '', '', 60],
    ['half a body', 'POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\nContent-Length: 9\r\n\r\n{', '', 60],
    ['a head that never ends', 'GET /health HTTP/1.1\r\nHost: x\r\n', 'A: b\r\n', 10],
    ['a body that never ends', CHUNKED, '1\r\n \r\n', 60],
    ['an answered request', COMPLETE, '', 75],
    ['an answered request and a head that never ends', `${COMPLETE}GET /health HTTP/1.1\r\n`, 'A: b\r\n', 75],
  ])('with %s are closed in time', async (_name, begin, drip, seconds) => {
    const clock = new VirtualClock();
    const socket = await dial(await start(clock));
    let isClosed = false;
    const closed = once(socket, 'close').then(() => {
      isClosed = true;
    });
    socket.resume();
    if (begin) socket.write(begin);
    for (let i = 0; i < 20; i++) await settled();
    for (let second = 0; second < seconds - 1; second++) {
      if (drip) socket.write(drip);
      clock.advance(1000);
      await settled();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    clock.advance(1100);
    await closed;
  });

  it('may take their time over a response', async () => {
    const clock = new VirtualClock();
    const socket = await dial(await start(clock));
    const connect = encodeURIComponent(JSON.stringify({ token: signToken({ sub: 'u1', exp: 4_000_000_000 }) }));
    socket.write(`GET /connection/uni_sse?cf_connect=${connect} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, 'data');
    for (let minute = 0; minute < 5; minute++) {
      for (let i = 0; i < 4; i++) clock.advance(15_000);
      await once(socket, 'data');
    }
    expect(socket.destroyed).toBe(false);
  });

  it('cannot make the broker wait for a body without the key', async () => {
    const socket = await dial(await start());
    socket.write('POST /api/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('are closed with 3012 where the peer is gone without a word', async () => {
    const clock = new VirtualClock();
    const broker = await start(clock);
    const socket = await upgraded(broker);
    socket.write(CONNECT());
    await once(socket, 'data');
    clock.advance(25_000);
    await once(socket, 'data');
    clock.advance(8_200);
    const [close] = (await once(socket, 'data')) as [Buffer];
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 3012]);
    clock.advance(5_000);
    await once(socket, 'close');
  });
});

describe('a WebSocket client that only listens', () => {
  const listening = async (clock: VirtualClock): Promise<{ broker: Broker; socket: Socket }> => {
    const broker = await start(clock);
    const socket = await upgraded(broker, '/connection/uni_websocket');
    socket.write(frame(1, JSON.stringify({ token: signToken({ sub: 'u1', exp: 4_000_000_000 }) })));
    await once(socket, 'data');
    return { broker, socket };
  };
  /** Reads until these bytes have come. */
  const seen = async (socket: Socket, ...bytes: number[]): Promise<void> => {
    for (let read = Buffer.alloc(0); !read.includes(Buffer.from(bytes)); ) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      read = Buffer.concat([read, chunk]);
    }
  };
  const PING = [0x89, 0];
  const PONG_TO_X = [0x8a, 1, 0x78];

  it('is cut off when it is gone without a word', async () => {
    const clock = new VirtualClock();
    const { socket } = await listening(clock);
    const closed = once(socket, 'close');
    const ping = seen(socket, ...PING);
    clock.advance(25_100);
    await ping;
    clock.advance(8_200);
    await closed;
  });

  it('stays for as long as it answers the pings of WebSocket itself', async () => {
    const clock = new VirtualClock();
    const { broker, socket } = await listening(clock);
    for (let round = 0; round < 4; round++) {
      const ping = seen(socket, ...PING);
      clock.advance(25_100);
      await ping;
      // What the server answers to a ping tells that it has read the pong before it.
      const heard = seen(socket, ...PONG_TO_X);
      socket.write(Buffer.concat([frame(10, ''), frame(9, 'x')]));
      await heard;
    }
    expect(socket.destroyed).toBe(false);
    const response = await fetch(`${broker.apiUrl}/info`, {
      method: 'POST',
      headers: { 'X-API-Key': 'key' },
      body: '{}',
    });
    const { result } = (await response.json()) as { result: { nodes: { num_clients: number }[] } };
    expect(result.nodes[0]!.num_clients).toBe(1);
  });
});

describe('floods', () => {
  it('of pings without reading the pongs stay bounded, and disturb nobody', async () => {
    const broker = await start();
    const socket = await upgraded(broker);
    socket.pause();
    const before = process.memoryUsage().rss;
    await pour(socket, Buffer.concat(Array.from({ length: 2000 }, () => frame(9, 'x'.repeat(125)))), 200);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    const other = await upgraded(broker);
    other.write(CONNECT());
    await once(other, 'data');
  });

  it('of commands without reading the replies end with 3008', async () => {
    const broker = await start();
    const socket = await upgraded(broker);
    socket.pause();
    socket.write(CONNECT());
    const batch = frame(
      1,
      Array.from({ length: 1000 }, (_, i) => `{"id":${i + 2},"unsubscribe":{"channel":"x"}}`).join('\n'),
    );
    for (let i = 0; i < 2000 && !socket.destroyed; i++) {
      socket.write(batch);
      await settled();
      if (i % 50 === 0) {
        const response = await fetch(`${broker.apiUrl}/info`, {
          method: 'POST',
          headers: { 'X-API-Key': 'key' },
          body: '{}',
        });
        const { result } = (await response.json()) as { result: { nodes: { num_clients: number }[] } };
        if (result.nodes[0]!.num_clients === 0) return;
      }
    }
    expect.unreachable('the client was never closed');
  });

  it('of API calls without reading the answers stop being read', async () => {
    const broker = await start();
    const socket = await dial(broker);
    socket.pause();
    const call = 'POST /api/history HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\nContent-Length: 2\r\n\r\n{}';
    const before = process.memoryUsage().rss;
    await pour(socket, Buffer.from(call.repeat(500)), 2000);
    expect(socket.writableLength).toBeGreaterThan(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('of subscriptions to 100,000 channels leave nothing behind', () => {
    const { connect, engine } = createEngine();
    const client = connect();
    for (let i = 0; i < 100_000; i++) {
      client.send(`{"id":2,"subscribe":{"channel":"plain:${i}"}}\n{"id":3,"unsubscribe":{"channel":"plain:${i}"}}`);
    }
    expect(engine.hub.channels.size).toBe(0);
    expect(engine.hub.subscriptionCount).toBe(0);
  });

  it('of connections that come and go leave nothing behind', async () => {
    const broker = await start();
    for (let round = 0; round < 5; round++) {
      const sockets = await Promise.all(Array.from({ length: 40 }, () => upgraded(broker)));
      for (const [i, socket] of sockets.entries()) {
        if (i % 3 > 0) socket.write(CONNECT());
        if (i % 2 > 0) socket.resetAndDestroy();
        else socket.end();
      }
    }
    const count = async () => {
      const response = await fetch(`${broker.apiUrl}/info`, {
        method: 'POST',
        headers: { 'X-API-Key': 'key' },
        body: '{}',
      });
      return ((await response.json()) as { result: { nodes: { num_clients: number }[] } }).result.nodes[0]!.num_clients;
    };
    while ((await count()) > 0) await settled();
    const client = new WebSocket(broker.url);
    await once(client, 'open');
    client.terminate();
  });
});
