import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { ProxyCaller } from './proxy-caller.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** An application, a caller on a clock that stands still, and a call to the one by the other. */
async function start(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    answer(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = new VirtualClock();
  const caller = new ProxyCaller(clock);
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ask?x=1`;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  ends.push(async () => {
    caller.close();
    if (server.listening) await close();
  });
  const call = (headers: Record<string, string> = {}, signal?: AbortSignal) =>
    caller.call({ endpoint, timeoutMs: 1000, headers, body: Buffer.from('{"ä":1}'), ...(signal && { signal }) });
  return { call, clock, caller, close };
}

it('posts the body with the headers and returns what comes', async () => {
  const seen: unknown[] = [];
  const { call } = await start(({ method, url, headers }, response, body) => {
    seen.push(method, url, headers['x-secret'], headers['content-length'], body);
    response.end('{"result":{}}');
  });
  const outcome = await call({ 'x-secret': 's' });
  expect('body' in (outcome as object) && String((outcome as { body: Buffer }).body)).toBe('{"result":{}}');
  expect(seen).toEqual(['POST', '/ask?x=1', 's', '8', '{"ä":1}']);
});

it('uses a connection again', async () => {
  const ports = new Set<number | undefined>();
  const { call } = await start(({ socket }, response) => {
    ports.add(socket.remotePort);
    response.end('{}');
  });
  for (let i = 0; i < 5; i++) await call();
  expect(ports.size).toBe(1);
});

it.each([201, 302, 401, 500])('gives status %d and not its body', async (status) => {
  const { call } = await start((_request, response) =>
    response.writeHead(status, { location: '/' }).end('{"result":{}}'),
  );
  expect(await call()).toEqual({ status });
});

it.each<[string, (response: ServerResponse) => void]>([
  ['nothing comes', () => {}],
  ['the body does not end', (response) => response.write('{"result"')],
])('fails after the time that it has where %s', async (_, answer) => {
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { call, clock } = await start((_request, response) => {
    answer(response);
    arrived();
  });
  const outcome = call();
  await arrival;
  clock.advance(999);
  expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe('waits');
  clock.advance(1);
  expect(await outcome).toBe('failed');
});

it('fails where the connection breaks, before the answer and within it', async () => {
  let isWithin = false;
  const { call } = await start((request, response) => {
    if (isWithin) response.write('{"result"', () => request.socket.destroy());
    else request.socket.destroy();
  });
  expect(await call()).toBe('failed');
  isWithin = true;
  expect(await call()).toBe('failed');
});

it('fails where nobody listens', async () => {
  const { call, close } = await start(() => {});
  await close();
  expect(await call()).toBe('failed');
});

it('fails for a header that is none', async () => {
  const { call } = await start((_request, response) => response.end('{}'));
  expect(await call({ 'x-forged': 'a\r\nx-secret: s' })).toBe('failed');
});

it('ends calls when it is closed', async () => {
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { call, caller } = await start(() => arrived());
  const outcome = call();
  await arrival;
  caller.close();
  expect(await outcome).toBe('failed');
});

it('ends a call whose client has left, and tells the application by closing its connection', async () => {
  const leaving = new AbortController();
  let left = () => {};
  const noticed = new Promise<void>((resolve) => {
    left = resolve;
  });
  const { call } = await start((_request, response) => {
    response.on('close', left);
    leaving.abort();
  });
  expect(await call({}, leaving.signal)).toBe('failed');
  await noticed;
  expect(await call({}, leaving.signal)).toBe('failed');
});
