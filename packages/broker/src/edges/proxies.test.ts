import { describe, expect, it } from 'vitest';
import { type Client, createEngine } from '../../test/engine-harness.ts';
import { signToken } from '../../test/tokens.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import type { BrokerOptions } from '../core/options.ts';
import { resolveOptions } from '../core/settings.ts';
import { createProxies } from './proxies.ts';
import type { Call, CallOutcome } from './proxy-caller.ts';

const app = (path: string) => ({ endpoint: `http://app/${path}` });
const options = {
  client: {
    pingIntervalMs: -1,
    pongTimeoutMs: -2,
    proxy: { connect: { enabled: true, ...app('connect') }, refresh: { enabled: true, ...app('refresh') } },
  },
  channel: {
    proxy: { subscribe: app('subscribe'), publish: app('publish'), subRefresh: app('sub_refresh') },
    namespaces: {
      asked: {
        subscribeProxyEnabled: true,
        publishProxyEnabled: true,
        subRefreshProxyEnabled: true,
        presence: true,
        allowPresenceForSubscriber: true,
      },
      other: { subscribeProxyEnabled: true, subscribeProxyName: 'meta' },
      plain: { allowSubscribeForClient: true },
    },
  },
  rpc: {
    proxy: app('rpc'),
    withoutNamespace: { proxyEnabled: true },
    namespaces: { b64: { proxyEnabled: true, proxyName: 'b64' }, off: {} },
  },
  proxies: {
    meta: { ...app('meta'), includeConnectionMeta: true, timeoutMs: 5000 },
    b64: { ...app('b64'), binaryEncoding: true },
  },
} satisfies BrokerOptions;

/** A broker whose application answers by path, and the calls that it got. */
function start(answers: Record<string, unknown>, more: BrokerOptions = options) {
  const calls: { path: string; body: unknown; call: Call }[] = [];
  const call = (request: Call): Promise<CallOutcome> => {
    const path = new URL(request.endpoint).pathname.slice(1);
    calls.push({ path, body: JSON.parse(String(request.body)), call: request });
    const answer = answers[path];
    return Promise.resolve(answer === undefined ? 'failed' : { body: Buffer.from(JSON.stringify(answer)) });
  };
  const clock = new VirtualClock();
  const engine = createEngine(more, createProxies(resolveOptions(more).proxies, clock, { call }), clock);
  return { ...engine, calls };
}

/** Lets the answers of the application arrive: they are there at once, and every step on the way takes a turn. */
async function answered(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Sends a command and returns the replies once the application has answered. */
async function ask(client: Client, command: object): Promise<string[]> {
  const replies = client.send(command);
  await answered();
  return [...replies, ...client.peer.take()];
}

const head = { client: 'client-2', transport: 'websocket', protocol: 'json', encoding: 'json' };

describe('a request', () => {
  it('to connect carries what the client says, and the server-side channels that it asks for', async () => {
    const { open, calls } = start({ connect: { result: { user: 'u' } } });
    const client = open();
    const connect = { name: 'js', version: '1', data: { d: 1 }, subs: { 'plain:a': {} } };
    expect(await ask(client, { id: 1, connect })).toHaveLength(1);
    expect(calls.map(({ path, body }) => [path, body])).toEqual([
      ['connect', { ...head, name: 'js', version: '1', data: { d: 1 }, channels: ['plain:a'] }],
    ]);
    // The application decides, and did not give it.
    expect(client.session.subscriptions.size).toBe(0);
  });

  it.each<[object, string, object]>([
    [{ subscribe: { channel: 'asked:a', data: [1] } }, 'subscribe', { channel: 'asked:a', data: [1] }],
    [{ subscribe: { channel: 'other:a' } }, 'meta', { channel: 'other:a', meta: { m: 1 } }],
    [{ publish: { channel: 'asked:a', data: 'x' } }, 'publish', { channel: 'asked:a', data: 'x' }],
    [{ rpc: { method: 'm', data: null } }, 'rpc', { method: 'm', data: null }],
    [{ rpc: { method: 'm' } }, 'rpc', { method: 'm' }],
    [
      { rpc: { method: 'b64:m', data: { a: 1 } } },
      'b64',
      { method: 'b64:m', encoding: 'binary', b64data: 'eyJhIjoxfQ==' },
    ],
  ])('%j', async (command, path, body) => {
    const { connect, calls } = start({});
    const client = connect({ sub: 'u', meta: { m: 1 } });
    client.peer.take();
    expect(await ask(client, { id: 2, ...command })).toEqual([
      '{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}',
    ]);
    expect(calls.map((call) => [call.path, call.body])).toEqual([[path, { ...head, user: 'u', ...body }]]);
    expect(calls[0]!.call.timeoutMs).toBe(path === 'meta' ? 5000 : 1000);
  });

  it('does not repeat text of the client outside of its JSON', async () => {
    const { connect, calls } = start({ rpc: {} });
    const client = connect({ sub: '"},"user":"admin' });
    await ask(client, { id: 2, rpc: { method: '","user","admin' } });
    expect(calls[0]!.body).toMatchObject({ user: '"},"user":"admin', method: '","user","admin' });
  });
});

describe('rpc', () => {
  it.each([
    ['m', 'rpc'],
    [':m', 'rpc'],
    ['b64:m:n', 'b64'],
  ])('%s asks %s', async (method, path) => {
    const { connect, calls } = start({ rpc: { result: { data: 1 } }, b64: { result: { b64data: 'MQ==' } } });
    expect(await ask(connect(), { id: 2, rpc: { method } })).toContain('{"id":2,"rpc":{"data":1}}');
    expect(calls[0]!.path).toBe(path);
  });

  it.each([
    ['nope:m', 104],
    ['off:m', 108],
  ])('%s asks nobody: error %d', async (method, code) => {
    const { connect, calls } = start({});
    const client = connect();
    client.peer.take();
    expect((await ask(client, { id: 2, rpc: { method } }))[0]).toContain(`"code":${code}`);
    expect(calls).toEqual([]);
  });

  it('is ended when its client leaves', async () => {
    const { connect, calls } = start({ rpc: { result: {} } });
    const client = connect();
    await ask(client, { id: 2, rpc: { method: 'm' } });
    const { signal } = calls.at(-1)!.call;
    expect(signal?.aborted).toBe(false);
    client.session.close(undefined);
    expect(signal?.aborted).toBe(true);
  });

  it('is error 108 where nothing asks, whatever the method', async () => {
    const { connect } = start({}, {});
    for (const method of ['m', 'nope:m'])
      expect((await ask(connect(), { id: 2, rpc: { method } })).at(-1)).toContain('"code":108');
  });
});

describe('subscribe', () => {
  it('asks nobody about private channels and about those that list their users', async () => {
    const { connect, calls } = start(
      { subscribe: {} },
      {
        ...options,
        channel: {
          ...options.channel,
          namespaces: { asked: { subscribeProxyEnabled: true, allowUserLimitedChannels: true } },
        },
      },
    );
    const client = connect({ sub: 'u' });
    client.peer.take();
    const outcome = async (channel: string) => (await ask(client, { id: 2, subscribe: { channel } }))[0];
    expect(await outcome('$asked:a')).toContain('"code":103');
    expect(await outcome('asked:a#v')).toContain('"code":103');
    expect(await outcome('asked:a#u')).toBe('{"id":2,"subscribe":{}}');
    expect(calls).toEqual([]);
    expect(await outcome('asked:a')).toBe('{"id":2,"subscribe":{}}');
    expect(calls).toHaveLength(1);
  });

  it('does not join a channel twice that was asked for twice at the same time', async () => {
    const { connect } = start({ subscribe: {} }, { ...options, client: { ...options.client, concurrency: 2 } });
    const client = connect({ sub: 'u' });
    client.peer.take();
    client.send({ id: 2, subscribe: { channel: 'asked:a' } }, { id: 3, subscribe: { channel: 'asked:a' } });
    await answered();
    const replies = client.peer.take();
    expect(replies[0]).toBe('{"id":2,"subscribe":{}}');
    expect(replies[1]).toContain('"code":105');
  });
});

describe('renewal', () => {
  it('goes on for a minute where the application fails, and ends where it says so', async () => {
    const answers: Record<string, unknown> = {};
    const { open, clock, calls, nowSeconds } = start(answers);
    const { peer, session, send } = open();
    expect(send({ id: 1, connect: { token: signToken({ sub: 'u', exp: nowSeconds() + 10 }) } })[0]).not.toContain(
      'ttl',
    );
    clock.advance(10_200);
    await answered();
    expect(calls.map(({ path }) => path)).toEqual(['refresh']);
    expect(peer.closed).toBeUndefined();
    expect(session.expireAt).toBe(nowSeconds() + 60);
    answers.refresh = { result: { expired: true } };
    clock.advance(60_000);
    await answered();
    expect(peer.closed).toEqual({ code: 3005, reason: 'connection expired' });
    expect(calls).toHaveLength(2);
  });

  it('of a connection may change what others see of it, and what the application is told of it', async () => {
    const { connect, clock, nowSeconds } = start({
      refresh: { result: { expire_at: 1_700_003_600, info: { i: 2 }, meta: { m: 2 } } },
    });
    const { session } = connect({ sub: 'u', exp: nowSeconds() + 10, info: { i: 1 }, meta: { m: 1 } });
    clock.advance(10_200);
    await answered();
    expect(session).toMatchObject({ info: '{"i":2}', meta: '{"m":2}', expireAt: 1_700_003_600 });
  });

  it('of a connection that gets no new time ends it', async () => {
    const { connect, clock, nowSeconds } = start({ refresh: { result: {} } });
    const { peer } = connect({ sub: 'u', exp: nowSeconds() + 10 });
    clock.advance(10_200);
    await answered();
    expect(peer.closed?.code).toBe(3005);
  });

  it.each([
    ['goes on', { result: { expire_at: 1_700_003_600 } }, []],
    [
      'ends',
      { result: { expired: true } },
      ['{"push":{"channel":"asked:a","unsubscribe":{"code":2501,"reason":"subscription expired"}}}'],
    ],
  ])('of a subscription: it %s', async (_, answer, pushes) => {
    const { connect, clock, calls, nowSeconds } = start({
      subscribe: { result: { expire_at: 1_700_000_010 } },
      sub_refresh: answer,
    });
    const client = connect({ sub: 'u' });
    client.peer.take();
    expect(nowSeconds()).toBe(1_700_000_000);
    // The application looks after the expiry, so the client hears nothing of it.
    expect(await ask(client, { id: 2, subscribe: { channel: 'asked:a' } })).toEqual(['{"id":2,"subscribe":{}}']);
    clock.advance(80_000);
    await answered();
    expect(calls.map(({ path }) => path)).toEqual(['subscribe', 'sub_refresh']);
    expect(calls[1]!.body).toEqual({ ...head, user: 'u', channel: 'asked:a' });
    expect(client.peer.take()).toEqual(pushes);
    expect(client.session.subscriptions.size).toBe(pushes.length === 0 ? 1 : 0);
  });
});

describe('while the application thinks', () => {
  it('the connection waits, in order, and answers all', async () => {
    const { connect } = start({ rpc: { result: { data: 1 } } });
    const client = connect();
    client.peer.take();
    expect(client.send({ id: 2, rpc: { method: 'm' } }, { id: 3, subscribe: { channel: 'plain:a' } })).toEqual([]);
    await answered();
    expect(client.peer.take()).toEqual(['{"id":2,"rpc":{"data":1}}', '{"id":3,"subscribe":{}}']);
  });

  it('a client that leaves gets nothing any more', async () => {
    const { connect } = start({ rpc: { disconnect: { code: 4501, reason: 'out' } } });
    const client = connect();
    client.peer.take();
    client.send({ id: 2, rpc: { method: 'm' } });
    client.session.close(undefined);
    await answered();
    expect(client.peer.take()).toEqual([]);
    expect(client.peer.closed).toBeUndefined();
  });

  it('a connection that ends meanwhile is not renewed', async () => {
    const { connect, clock, calls, nowSeconds } = start({ refresh: { result: { expire_at: 1_700_003_600 } } });
    const { session } = connect({ sub: 'u', exp: nowSeconds() + 10 });
    clock.advance(10_200);
    expect(calls).toHaveLength(1);
    session.close(undefined);
    await answered();
    expect(session.slot).toBe(-1);
  });

  it('commands that have been answered do not count against those that wait', async () => {
    const { connect } = start({ rpc: {} }, { ...options, client: { ...options.client, queueMaxSize: 1000 } });
    const client = connect();
    for (let round = 0; round < 20; round++) {
      client.send({ id: 2, rpc: { method: 'm'.repeat(100) } });
      expect(await ask(client, { id: 3, rpc: { method: 'm'.repeat(100) } })).toEqual([
        '{"id":2,"rpc":{}}',
        '{"id":3,"rpc":{}}',
      ]);
    }
    expect(client.peer.closed).toBeUndefined();
  });

  it('commands do not pile up without end', () => {
    const { connect } = start({}, { ...options, client: { ...options.client, queueMaxSize: 1000 } });
    const client = connect();
    const frame = { id: 2, rpc: { method: 'm'.repeat(100) } };
    for (let i = 0; i < 8; i++) client.send(frame);
    expect(client.peer.closed).toBeUndefined();
    client.send(frame);
    expect(client.peer.closed).toEqual({ code: 3013, reason: 'too many requests' });
  });
});

it('calls are counted under the names of their proxies', async () => {
  const { connect, engine } = start({ rpc: { error: { code: 1 } } });
  const client = connect();
  const texts = () => engine.metrics.text(engine, { rssBytes: 1, cpuSeconds: 1 });
  expect(texts()).not.toContain('centrifugo_proxy');
  client.send({ id: 2, rpc: { method: 'm' } });
  expect(texts()).toContain('centrifugo_proxy_inflight_requests{name="default",protocol="http",type="rpc"} 1\n');
  await answered();
  await ask(client, { id: 3, subscribe: { channel: 'other:a' } });
  for (const line of [
    'centrifugo_proxy_inflight_requests{name="default",protocol="http",type="rpc"} 0',
    'centrifugo_proxy_duration_seconds_count{name="default",protocol="http",type="rpc"} 1',
    'centrifugo_proxy_errors{name="default",protocol="http",type="rpc"} 0',
    'centrifugo_proxy_errors{name="meta",protocol="http",type="subscribe"} 1',
  ])
    expect(texts()).toContain(`\n${line}\n`);
});

it('a token is enough to connect without asking; without one the application is asked', async () => {
  const { open, calls } = start({ connect: { result: { user: 'u' } } });
  const client = open();
  client.send({ id: 1, connect: { token: signToken({ sub: 'u' }) } });
  expect(client.session.state).toBe('connected');
  expect(calls).toEqual([]);
});

it('channels that the application gave stay when the client refreshes with a token that lists none', async () => {
  const { client: plain, ...rest } = options;
  const { open, nowSeconds } = start(
    { connect: { result: { user: 'u', channels: ['plain:a'] } } },
    { ...rest, client: { ...plain, proxy: { connect: plain.proxy.connect } } },
  );
  const client = open();
  await ask(client, { id: 1, connect: {} });
  const token = signToken({ sub: 'u', exp: nowSeconds() + 60 });
  expect(await ask(client, { id: 2, refresh: { token } })).toEqual(['{"id":2,"refresh":{"expires":true,"ttl":60}}']);
  expect([...client.session.subscriptions.keys()]).toEqual(['plain:a']);
});

it('a client with a token gets no channel at connect that the application would have to be asked for', () => {
  const { open, calls } = start(
    {},
    {
      channel: {
        ...options.channel,
        namespaces: { asked: { ...options.channel.namespaces.asked, allowSubscribeForClient: true } },
      },
    },
  );
  const client = open();
  client.send({ id: 1, connect: { token: signToken({ sub: 'u' }), subs: { 'asked:a': {} } } });
  expect(client.session.state).toBe('connected');
  expect(client.session.subscriptions.size).toBe(0);
  expect(calls).toEqual([]);
});
