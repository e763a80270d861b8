import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { NAMESPACES } from '../../test/engine-harness.ts';
import { SECRET, signToken } from '../../test/tokens.ts';
import { type Broker, startBroker } from '../broker.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const ON = { enabled: true, maxRequestBodySize: 2000 };

async function start(): Promise<Broker> {
  const broker = await startBroker({
    port: 0,
    httpApi: { key: 'key' },
    client: { token: { hmacSecretKey: SECRET }, allowedOrigins: ['http://app.example'] },
    channel: { namespaces: NAMESPACES },
    shutdown: { timeoutMs: 1000 },
    httpStream: ON,
    sse: ON,
    uniSse: ON,
    uniHttpStream: ON,
    uniWebsocket: { enabled: true },
    prometheus: { enabled: true },
  });
  cleanUps.push(() => broker.close());
  return broker;
}

const base = (broker: Broker) => `http://127.0.0.1:${broker.port}`;
const connectRequest = (claims: object = { sub: 'u1' }) => ({ token: signToken(claims) });

/** Begins a request and reads its response line by line. */
async function stream(broker: Broker, path: string, method: string, body = '') {
  const outgoing = request(`${base(broker)}${path}`, { method });
  outgoing.on('error', () => {});
  cleanUps.push(() => outgoing.destroy());
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let rest = '';
  const lines: string[] = [];
  response.on('data', (chunk) => {
    rest += String(chunk);
    const parts = rest.split('\n');
    rest = parts.pop()!;
    lines.push(...parts.map((line) => line.trim().replace(/^data: /, '')).filter((line) => line !== ''));
  });
  response.on('error', () => {});
  const ended = new Promise<void>((resolve) => response.on('close', () => resolve()));
  const next = async () => {
    while (lines.length === 0) await once(response, 'data');
    return JSON.parse(lines.shift()!);
  };
  return { response, next, ended };
}

async function call(broker: Broker, method: string, body: object): Promise<void> {
  await fetch(`${broker.apiUrl}/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': 'key' },
    body: JSON.stringify(body),
  });
}

const emulate = (broker: Broker, node: string, session: string, ...commands: object[]) =>
  fetch(`${base(broker)}/emulation`, {
    method: 'POST',
    body: JSON.stringify({ node, session, data: commands.map((command) => JSON.stringify(command)).join('\n') }),
  });

describe.each([
  ['http_stream', 'POST'],
  ['sse', 'POST'],
  ['sse', 'GET'],
])('%s by %s', (transport, method) => {
  const open = (broker: Broker) => {
    const command = JSON.stringify({ id: 1, connect: connectRequest() });
    if (method === 'GET')
      return stream(broker, `/connection/${transport}?cf_connect=${encodeURIComponent(command)}`, 'GET');
    return stream(broker, `/connection/${transport}`, 'POST', command);
  };

  it('answers on the stream what comes by emulation', async () => {
    const broker = await start();
    const { next } = await open(broker);
    const { connect } = await next();
    expect(connect).toMatchObject({ ping: 25, pong: true, session: expect.any(String), node: expect.any(String) });
    expect(connect.session).not.toBe(connect.client);
    const response = await emulate(broker, connect.node, connect.session, { id: 2, subscribe: { channel: 'plain:1' } });
    expect(response.status).toBe(204);
    expect(await next()).toEqual({ id: 2, subscribe: {} });
    await call(broker, 'publish', { channel: 'plain:1', data: { a: 1 } });
    expect(await next()).toEqual({ push: { channel: 'plain:1', pub: { data: { a: 1 } } } });
  });

  it('ends with a push that says why', async () => {
    const broker = await start();
    const { next, ended } = await open(broker);
    await next();
    await call(broker, 'disconnect', { user: 'u1' });
    expect(await next()).toEqual({ push: { disconnect: { code: 3503, reason: 'force disconnect' } } });
    await ended;
  });

  it('ends with 3001 when the broker goes', async () => {
    const broker = await start();
    const { next } = await open(broker);
    await next();
    const closed = broker.close();
    expect((await next()).push.disconnect.code).toBe(3001);
    await closed;
  });
});

describe('emulation', () => {
  it.each<[string, string, number]>([
    ['no JSON', 'x', 400],
    ['another node', '{"node":"x","session":"y","data":"{}"}', 404],
    ['too much', 'x'.repeat(70_000), 413],
  ])('refuses %s', async (_name, body, status) => {
    const response = await fetch(`${base(await start())}/emulation`, { method: 'POST', body });
    expect(response.status).toBe(status);
  });

  it('of a session that is not there, or with data that is none, does nothing', async () => {
    const broker = await start();
    const { next } = await stream(
      broker,
      '/connection/http_stream',
      'POST',
      JSON.stringify({ id: 1, connect: connectRequest() }),
    );
    const { connect } = await next();
    expect((await emulate(broker, connect.node, 'nobody', { id: 2, rpc: {} })).status).toBe(204);
    // The client's own id is known to others, and opens nothing.
    expect((await emulate(broker, connect.node, connect.client, { id: 2, rpc: {} })).status).toBe(204);
    const odd = await fetch(`${base(broker)}/emulation`, {
      method: 'POST',
      body: JSON.stringify({ node: connect.node, session: connect.session, data: 5 }),
    });
    expect(odd.status).toBe(204);
    expect((await emulate(broker, connect.node, connect.session, { id: 9, rpc: {} })).status).toBe(204);
    expect(await next()).toMatchObject({ id: 9 });
    // No data at all is an empty frame, as on Centrifugo.
    const none = JSON.stringify({ node: connect.node, session: connect.session, data: null });
    expect((await fetch(`${base(broker)}/emulation`, { method: 'POST', body: none })).status).toBe(204);
    expect(await next()).toMatchObject({ push: { disconnect: { code: 3501 } } });
  });

  it('lets browsers of allowed origins read, and no others', async () => {
    const broker = await start();
    const preflight = (origin: string) =>
      fetch(`${base(broker)}/emulation`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-headers': 'content-type' },
      });
    const allowed = await preflight('http://app.example');
    expect([
      allowed.status,
      allowed.headers.get('access-control-allow-origin'),
      allowed.headers.get('access-control-allow-headers'),
    ]).toEqual([204, 'http://app.example', 'content-type']);
    expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('connections that only listen', () => {
  const CONNECT = {
    connect: {
      client: expect.any(String),
      version: '6.9.1 OSS',
      ping: 25,
      session: expect.any(String),
      subs: { 'plain:1': {} },
    },
  };
  const wish = () => JSON.stringify(connectRequest({ sub: 'u1', channels: ['plain:1'] }));

  it.each([
    ['uni_sse', 'POST'],
    ['uni_sse', 'GET'],
    ['uni_http_stream', 'POST'],
  ])('%s by %s get bare pushes', async (transport, method) => {
    const broker = await start();
    const query = method === 'GET' ? `?cf_connect=${encodeURIComponent(wish())}` : '';
    const { next } = await stream(broker, `/connection/${transport}${query}`, method, method === 'POST' ? wish() : '');
    expect(await next()).toEqual(CONNECT);
    await call(broker, 'publish', { channel: 'plain:1', data: 1 });
    expect(await next()).toEqual({ channel: 'plain:1', pub: { data: 1 } });
    await call(broker, 'disconnect', { user: 'u1' });
    expect(await next()).toEqual({ disconnect: { code: 3503, reason: 'force disconnect' } });
  });

  it('over WebSocket get them too, each in a frame of its own', async () => {
    const broker = await start();
    const socket = new WebSocket(`${base(broker).replace('http', 'ws')}/connection/uni_websocket`);
    cleanUps.push(() => socket.terminate());
    const frames: unknown[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    await once(socket, 'open');
    socket.send(wish());
    await once(socket, 'message');
    await call(broker, 'broadcast', { channels: ['plain:1', 'plain:1'], data: 1 });
    while (frames.length < 3) await once(socket, 'message');
    expect(frames[0]).toEqual(CONNECT);
    expect(frames.slice(1)).toEqual([
      { channel: 'plain:1', pub: { data: 1 } },
      { channel: 'plain:1', pub: { data: 1 } },
    ]);
    const closed = once(socket, 'close');
    await call(broker, 'disconnect', { user: 'u1' });
    expect((await closed)[0]).toBe(3503);
    expect(frames.at(-1)).toEqual({ disconnect: { code: 3503, reason: 'force disconnect' } });
  });

  it.each([
    ['an expired token', { sub: 'u', exp: 1 }, 3005],
    ['an unknown channel', { sub: 'u', channels: ['no:1'] }, 3004],
  ])('are told of %s by a disconnect', async (_name, claims, code) => {
    const { next, ended } = await stream(
      await start(),
      '/connection/uni_sse',
      'POST',
      JSON.stringify(connectRequest(claims)),
    );
    expect((await next()).disconnect.code).toBe(code);
    await ended;
  });
});

describe('requests that begin no stream', () => {
  it.each<[string, string, string, number]>([
    ['/connection/http_stream', 'GET', '', 405],
    ['/connection/http_stream', 'POST', 'x'.repeat(3000), 413],
    ['/connection/http_stream', 'OPTIONS', '', 204],
    ['/connection/sse', 'GET', '', 400],
    ['/connection/sse', 'PUT', '', 405],
    ['/connection/uni_sse', 'POST', 'x', 400],
    ['/connection/uni_http_stream', 'GET', '', 405],
    ['/connection/uni_http_stream', 'POST', 'x', 400],
  ])('%s by %s with %s', async (path, method, body, status) => {
    const response = await fetch(`${base(await start())}${path}`, { method, ...(body ? { body } : {}) });
    expect(response.status).toBe(status);
  });

  it('to transports that are off are 404', async () => {
    const broker = await startBroker({ port: 0 });
    cleanUps.push(() => broker.close());
    for (const path of ['/connection/http_stream', '/connection/sse', '/emulation', '/metrics'])
      expect((await fetch(`${base(broker)}${path}`, { method: 'POST' })).status).toBe(404);
  });
});

describe('metrics', () => {
  it('count what there is and what has been', async () => {
    const broker = await start();
    const { next, ended } = await stream(
      broker,
      '/connection/sse',
      'POST',
      JSON.stringify({ id: 1, connect: connectRequest({ sub: 'u1', channels: ['pres:1'] }) }),
    );
    await next();
    await call(broker, 'publish', { channel: 'pres:1', data: 1 });
    const text = await (await fetch(`${base(broker)}/metrics`)).text();
    for (const line of [
      'centrifugo_node_num_clients 1',
      'centrifugo_node_num_channels 1',
      'centrifugo_client_connections_inflight{accept_protocol="",client_name="unnamed",client_version="unversioned",transport="sse"} 1',
      'centrifugo_node_messages_sent_count{channel_namespace="",type="publication"} 1',
      'centrifugo_node_messages_sent_count{channel_namespace="",type="join"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    await call(broker, 'disconnect', { user: 'u1' });
    await ended;
    expect(await (await fetch(`${base(broker)}/metrics`)).text()).toContain(
      'centrifugo_client_num_server_disconnects{code="3503"} 1\n',
    );
  });
});
