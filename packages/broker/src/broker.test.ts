import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Centrifuge } from 'centrifuge';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../../../test/eventually.ts';
import { NAMESPACES } from '../test/engine-harness.ts';
import { SECRET, signToken } from '../test/tokens.ts';
import { type Broker, startBroker } from './broker.ts';
import { ListenError } from './core/errors.ts';
import type { BrokerOptions } from './core/options.ts';

const KEY = 'api-key';
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await startBroker({
    port: 0,
    shutdown: { timeoutMs: 1000 },
    ...options,
    httpApi: { key: KEY, ...options.httpApi },
    client: { token: { hmacSecretKey: SECRET }, ...options.client },
    channel: { namespaces: NAMESPACES, ...options.channel },
  });
  cleanUps.push(() => broker.close());
  return broker;
}

async function call(broker: Broker, method: string, request: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${broker.apiUrl}/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': KEY },
    body: JSON.stringify(request),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** A bare WebSocket that collects what comes. */
function open(broker: Broker, options: object = {}) {
  const socket = new WebSocket(broker.url, options);
  cleanUps.push(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(...String(data).split('\n')));
  socket.on('error', () => {});
  const closed = new Promise<[number, string]>((resolve) =>
    socket.on('close', (code, reason) => resolve([code, reason.toString()])),
  );
  const until = async (count: number) => {
    while (messages.length < count) await once(socket, 'message');
    return messages;
  };
  return { socket, messages, closed, until };
}

async function connected(broker: Broker, claims: object = { sub: 'u1' }) {
  const client = open(broker);
  await once(client.socket, 'open');
  client.socket.send(JSON.stringify({ id: 1, connect: { token: signToken(claims) } }));
  await client.until(1);
  return client;
}

/** Sends bytes on a bare connection and reads until the other side closes, or `isDone`. */
async function raw(
  broker: Broker,
  parts: readonly string[],
  isDone: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connectTcp(broker.port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  let text = '';
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (data) => {
      text += data.toString();
      if (isDone(text)) resolve();
    });
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  return text;
}

/** What the kernel of Linux knows of its connections. */
const KERNEL_TABLE = '/proc/net/tcp';

describe.skipIf(!existsSync(KERNEL_TABLE))('a connection that nobody pings', () => {
  it('is asked by the kernel whether it is still there', async () => {
    const broker = await start();
    const socket = connectTcp(broker.port, '127.0.0.1');
    cleanUps.push(() => socket.destroy());
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
    const row = new RegExp(`0100007F:${hex(broker.port)} 0100007F:${hex(socket.localPort!)} 01 \\S+ (\\d\\d):`);
    // 02 is the timer of keep-alive; 00 none.
    await eventually(() => expect(row.exec(readFileSync(KERNEL_TABLE, 'utf8'))?.[1]).toBe('02'));
  });
});

describe('the official client', () => {
  it('subscribes, receives, recovers over a restart of its connection, and publishes', async () => {
    const broker = await start();
    const client = new Centrifuge(broker.url, { websocket: WebSocket, token: signToken({ sub: 'u1' }) });
    cleanUps.push(() => client.disconnect());
    const seen: unknown[] = [];
    const subscription = client.newSubscription('open:1');
    subscription.on('publication', ({ data }) => seen.push(data));
    const subscribed = new Promise<{ recovered: boolean }>((resolve) => subscription.once('subscribed', resolve));
    subscription.subscribe();
    client.connect();
    await subscribed;
    await subscription.publish({ n: 1 });
    const again = new Promise<{ recovered: boolean }>((resolve) => subscription.once('subscribed', resolve));
    await call(broker, 'disconnect', { user: 'u1', disconnect: { code: 3011, reason: 'force reconnect' } });
    await call(broker, 'publish', { channel: 'open:1', data: { n: 2 } });
    expect((await again).recovered).toBe(true);
    expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await subscription.history({ limit: 10 })).toMatchObject({ offset: 2 });
  });
});

describe('official clients', () => {
  it('are told of a shutdown, and come back by themselves, spread over time and not at once', async () => {
    const COUNT = 30;
    const first = await start();
    const codes: number[] = [];
    const delaysMs: number[] = [];
    let allBack = () => {};
    const back = new Promise<void>((resolve) => {
      allBack = resolve;
    });
    const clients = Array.from({ length: COUNT }, (_, i) => {
      const token = signToken({ sub: `u${i}` });
      const client = new Centrifuge(first.url, { websocket: WebSocket, token });
      cleanUps.push(() => client.disconnect());
      let lostMs = 0;
      client.on('connecting', ({ code }) => {
        if (code === 0) return;
        codes.push(code);
        lostMs = performance.now();
      });
      client.on('connected', () => {
        if (lostMs > 0 && delaysMs.push(performance.now() - lostMs) === COUNT) allBack();
      });
      client.connect();
      return client;
    });
    await Promise.all(clients.map((client) => client.ready()));
    await first.close();
    await start({ port: first.port });
    await back;
    expect(codes.slice(0, COUNT)).toEqual(clients.map(() => 3001));
    // Their own back-off begins with a random part of half a second; a slow machine only widens it.
    expect(Math.max(...delaysMs) - Math.min(...delaysMs)).toBeGreaterThan(100);
  });
});

describe('a WebSocket', () => {
  it('may carry JSON in binary frames too', async () => {
    const client = open(await start());
    await once(client.socket, 'open');
    client.socket.send(Buffer.from(JSON.stringify({ id: 1, connect: { token: signToken({ sub: 'u1' }) } })), {
      binary: true,
    });
    expect((await client.until(1))[0]).toContain('"connect":{"client":');
  });

  it('with malformed UTF-8 lives on; the bytes are repaired', async () => {
    const client = await connected(await start());
    client.socket.send('{"id":2,"subscribe":{"channel":"open:1"}}');
    client.socket.send(Buffer.from('{"id":3,"publish":{"channel":"open:1","data":"x\xff"}}', 'latin1'), {
      binary: false,
    });
    expect((await client.until(4))[2]).toContain('"data":"x\ufffd"');
  });

  it('with a frame over 65,536 bytes is closed with 1009, at the limit it is read', async () => {
    const broker = await start();
    const [full, over] = [await connected(broker), await connected(broker)];
    full.socket.send('x'.repeat(65_536));
    over.socket.send('x'.repeat(65_537));
    expect(await full.closed).toEqual([3501, 'bad request']);
    expect((await over.closed)[0]).toBe(1009);
  });

  it('of a browser needs an allowed origin', async () => {
    const broker = await start({
      client: { token: { hmacSecretKey: SECRET }, allowedOrigins: ['http://localhost:3000', 'https://*.example.com'] },
    });
    const isLetIn = (origin: string) =>
      new Promise<boolean>((resolve) => {
        const { socket } = open(broker, { origin });
        socket.on('open', () => resolve(true));
        socket.on('unexpected-response', (_request, response) => {
          expect(response.statusCode).toBe(403);
          resolve(false);
        });
      });
    expect(await isLetIn('http://LOCALHOST:3000')).toBe(true);
    expect(await isLetIn('https://a.example.com')).toBe(true);
    expect(await isLetIn('https://example.com')).toBe(false);
    expect(await isLetIn('null')).toBe(false);
  });

  it('negotiates the sub-protocol that it knows, and no other', async () => {
    const broker = await start();
    const socket = new WebSocket(broker.url, ['foo', 'centrifuge-json']);
    cleanUps.push(() => socket.terminate());
    await once(socket, 'open');
    expect(socket.protocol).toBe('centrifuge-json');
  });

  it('that is over the connection limit is refused with 503', async () => {
    const broker = await start({ client: { token: { hmacSecretKey: SECRET }, connectionLimit: 1 } });
    await connected(broker);
    const answer = new Promise<number | undefined>((resolve) =>
      open(broker).socket.on('unexpected-response', (_request, response) => resolve(response.statusCode)),
    );
    expect(await answer).toBe(503);
  });

  it('whose client does not read is closed with 3008, while others get everything', async () => {
    const broker = await start();
    const [slow, good] = [await connected(broker), await connected(broker)];
    for (const { socket } of [slow, good]) socket.send('{"id":2,"subscribe":{"channel":"plain:1"}}');
    await good.until(2);
    await slow.until(2);
    slow.socket.pause();
    const data = 'x'.repeat(50_000);
    let sent = 0;
    const clients = async () =>
      (await call(broker, 'channels', { pattern: 'plain:1' })) as {
        result: { channels: Record<string, { num_clients: number }> };
      };
    while ((await clients()).result.channels['plain:1']?.num_clients === 2) {
      for (let i = 0; i < 20; i++) await call(broker, 'publish', { channel: 'plain:1', data });
      sent += 20;
      expect(sent).toBeLessThan(2000);
    }
    await good.until(2 + sent);
    slow.socket.resume();
    expect([3008, 1006]).toContain((await slow.closed)[0]);
    expect(good.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('that vanished does not take the process along while the broker is closing', () => {
    const script = `
      import { startBroker } from ${JSON.stringify(new URL('./broker.ts', import.meta.url).href)};
      import { WebSocket } from 'ws';
      const broker = await startBroker({ port: 0 });
      const socket = new WebSocket(broker.url);
      await new Promise((resolve) => socket.once('open', resolve));
      const closed = broker.close();
      socket.terminate();
      await closed;
      process.stdout.write('closed');`;
    const args = ['--conditions=@op/source', '--import', 'tsx', '--input-type=module', '-e', script];
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 20_000 })).toBe('closed');
  });

  it('gets 3001 when the broker goes, and the port is free then', async () => {
    const broker = await start();
    const [client, waiting] = [await connected(broker), open(broker)];
    await once(waiting.socket, 'open');
    await Promise.all([broker.close(), broker.close()]);
    expect(await client.closed).toEqual([3001, 'shutdown']);
    expect((await waiting.closed)[0]).toBe(1006);
    await start({ port: broker.port });
  });
});

describe('the HTTP port', () => {
  const post = (path: string, body: string, headers = `X-API-Key: ${KEY}\r\n`) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const publish = post('/api/publish', '{"channel":"trpc:a","data":1}');
  const answers = (count: number) => (text: string) => text.split('HTTP/1.1 ').length > count && /[}\n]$/.test(text);
  const status = (text: string) => text.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(9)));

  it.each<[string, string[], number[]]>([
    ['a plain call', [publish], [200]],
    ['calls behind each other in one piece', [publish + publish + publish], [200, 200, 200]],
    ['a call in two pieces', [publish.slice(0, -10), publish.slice(-10)], [200]],
    ['a call whose head comes in two pieces', [publish.slice(0, 30), publish.slice(30)], [200]],
    ['a call byte by byte', [...publish], [200]],
    [
      'a chunked call',
      [
        `POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEY}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      ],
      [200],
    ],
    ['a call that is not plain behind a plain one', [`${publish}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`], [200, 200]],
    ['the key in Authorization', [post('/api/info', '{}', `Authorization: ApiKey ${KEY}\r\n`)], [200]],
    ['the key in the query', [post(`/api/info?api_key=${KEY}`, '{}', '')], [200]],
    ['no JSON', [post('/api/publish', 'x')], [400]],
    ['a method that is not there', [post('/api/nope', '{}')], [404]],
    ['the old form', [post('/api', '{}')], [200]],
    ['a trailing slash', [post('/api/publish/', '{}')], [404]],
    ['an encoded slash', [post('/api%2fpublish', '{}')], [404]],
    ['dots in the path', [post('/x/../api/publish', '{}')], [307]],
    ['two slashes', [post('//api/publish', '{}')], [307]],
    ['percent encoding', [post('/api/%70ublish', '{}')], [200]],
    ['percent encoding that is none', [post('/api/%zz', '{}')], [400]],
    ['a whole URL', [post('http://x/api/publish', '{}')], [200]],
    ['another path', ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], [404]],
    ['the path of WebSockets without an upgrade', ['GET /connection/websocket HTTP/1.1\r\nHost: x\r\n\r\n'], [400]],
  ])('answers %s', async (_name, parts, expected) => {
    expect(status(await raw(await start(), parts, answers(expected.length)))).toEqual(expected);
  });

  it.each<[string, string, number]>([
    ['no key', post('/api/publish', '{}', ''), 401],
    ['a wrong key', post('/api/publish', '{}', 'X-API-Key: no\r\n'), 401],
    [
      'a wrong X-API-Key that hides a right Authorization',
      post('/api/publish', '{}', `X-API-Key: no\r\nAuthorization: apikey ${KEY}\r\n`),
      401,
    ],
    ['the key as bearer', post('/api/publish', '{}', `Authorization: Bearer ${KEY}\r\n`), 401],
    ['a wrong method, before the key is looked at', 'GET /api/publish HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['two lengths', post('/api/publish', '{}', `X-API-Key: ${KEY}\r\nContent-Length: 3\r\n`), 400],
    ['a space before the colon', post('/api/publish', '{}', `X-API-Key : ${KEY}\r\n`), 400],
    ['no Host', publish.replace('Host: x\r\n', ''), 400],
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['a body over the limit', post('/api/publish', 'x'.repeat(2000)), 413],
    [
      'a head over the limit',
      `GET /health HTTP/1.1\r\nHost: x\r\n${`A: ${'b'.repeat(1000)}\r\n`.repeat(2000)}\r\n`,
      431,
    ],
  ])('refuses %s and closes', async (_name, request, expected) => {
    const broker = await start({ httpApi: { maxRequestBodySize: 1000 } });
    expect(status(await raw(broker, [request]))?.[0]).toBe(expected);
  });

  it('closes every API call where no key is set', async () => {
    const broker = await start({ httpApi: { key: '' } });
    expect(status(await raw(broker, [post('/api/info', '{}', 'X-API-Key: \r\n')]))?.[0]).toBe(401);
  });

  it('answers health checks', async () => {
    const broker = await start();
    const response = await fetch(`http://127.0.0.1:${broker.port}/health`);
    expect([response.status, await response.text()]).toEqual([200, '{}']);
  });

  it('survives connections that end anyhow', async () => {
    const broker = await start();
    for (const part of [
      '',
      'P',
      publish.slice(0, -5),
      'GET /connection/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n',
    ]) {
      const socket = connectTcp(broker.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(part);
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    expect(await call(broker, 'publish', { channel: 'trpc:a', data: 1 })).toMatchObject({ result: { offset: 1 } });
  });

  it('says so if it is taken', async () => {
    const broker = await start();
    await expect(startBroker({ port: broker.port })).rejects.toThrow(ListenError);
  });
});
