import { createRealtime, type Realtime } from '@op/realtime/server';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { eventually } from '../../../../test/eventually.ts';
import { API_KEY, brokerKinds, type RunningBroker, SECRET } from '../../test/brokers.ts';
import { FaultyProxy } from '../../test/faulty-proxy.ts';
import type { RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import { createRecorder } from '../testing/recorder.ts';
import { RealtimeManager } from './node-realtime-manager.ts';
import type { RealtimeConfig } from './types.ts';

const event = (name: string, data: unknown = null): Message => ({ type: 'event', name, data });
const key = new TextEncoder().encode(SECRET);
const hour = () => Math.floor(Date.now() / 1_000) + 3_600;

const kinds = brokerKinds();

const managers: RealtimeManager[] = [];
const errors: RealtimeError[] = [];
function connect(config: Pick<RealtimeConfig, 'wsUrl' | 'getToken'> & Partial<RealtimeConfig>): RealtimeManager {
  const manager = new RealtimeManager({ onError: (error) => errors.push(error), ...config });
  managers.push(manager);
  return manager;
}
afterEach(() => {
  for (const manager of managers.splice(0)) manager.dispose();
  errors.length = 0;
});

describe.each(kinds)('against $name', (kind) => {
  let broker: RunningBroker;
  let server: Realtime;
  beforeAll(async () => {
    broker = await kind.start();
    server = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET });
  });
  afterAll(() => broker.close());

  const client = (userId: string, config: Partial<RealtimeConfig> = {}) =>
    connect({
      wsUrl: broker.wsUrl,
      getToken: () => server.createConnectionToken({ userId }),
      getChannelTokens: (channels) =>
        server.createChannelTokens({
          userId,
          channels: channels as Parameters<Realtime['createChannelTokens']>[0]['channels'],
        }),
      ...config,
    });

  it('delivers both ways, each with the position that the publisher was told', async () => {
    const manager = client('123');
    const own = createRecorder();
    const org = createRecorder();
    manager.subscribe('trpc:user:123', own.handler, own.options);
    manager.subscribe('trpc:org:both', org.handler, org.options);
    await eventually(() => expect([own.joins.length, org.joins.length]).toEqual([1, 1]));
    const first = await server.publish('trpc:user:123', {
      type: 'query-invalidation',
      queryKey: ['user', 'notifications'],
    });
    const second = await server.publish('trpc:org:both', event('a'));
    await eventually(() => expect([own.messages.length, org.messages.length]).toEqual([1, 1]));
    expect(own.messages).toEqual([{ type: 'query-invalidation', queryKey: ['user', 'notifications'] }]);
    expect([own.publications[0]?.position, org.publications[0]?.position]).toEqual([first.position, second.position]);
    expect(errors).toEqual([]);
  });

  it("refuses another user's private channel, by hand and by a forged grant, and disturbs nobody", async () => {
    const manager = client('123', { getChannelTokens: undefined });
    const own = createRecorder();
    manager.subscribe('trpc:user:123', own.handler, own.options);
    const stolen = await server.createChannelToken({ userId: '124', channel: 'trpc:org:stolen' });
    manager.addGrant({ channel: 'trpc:org:stolen', token: stolen });
    manager.addGrant({ channel: 'trpc:org:forged', token: await signedByAnother('trpc:org:forged', '123') });
    const refused = ['trpc:user:124', 'trpc:org:stolen', 'trpc:org:forged'].map((channel) => {
      const listener = createRecorder();
      manager.subscribe(channel, listener.handler, listener.options);
      return listener;
    });
    await eventually(() => expect(refused.map(({ lines }) => lines)).toEqual(refused.map(() => ['loss refused'])));
    expect(refused[2]?.losses[0]).toMatchObject({ error: { brokerCode: 103 } });
    expect(errors.map(({ message }) => message).join()).not.toContain(stolen);
    await server.publish('trpc:user:124', event('private'));
    await server.publish('trpc:user:123', event('mine'));
    await eventually(() => expect(own.messages).toEqual([event('mine')]));
    expect(refused[0]?.messages).toEqual([]);
    expect(manager.status.state).toBe('connected');
  });

  const signedByAnother = (channel: string, userId: string) =>
    new SignJWT({ channel })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(userId)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('another secret, long enough for the algorithm'));

  it.each([
    [
      'signed by another secret',
      () =>
        new SignJWT({ sub: '1', exp: hour() })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode('another secret')),
    ],
    [
      'unsigned (alg none)',
      async () => new UnsecuredJWT({ sub: '1', exp: hour(), subs: { 'trpc:user:124': {} } }).encode(),
    ],
    ['a grant', () => server.createChannelToken({ userId: '1', channel: 'trpc:org:1' })],
    ['no token', async () => 'hello'],
  ])('ends as unauthorized with a connection token that is %s; the token is in no message', async (_name, make) => {
    const token = await make();
    const manager = client('1', { getToken: async () => token });
    manager.subscribe('trpc:global', () => {});
    await eventually(() => expect(manager.status.state).toBe('unauthorized'));
    expect(manager.status.reason).toMatchObject({ code: 'unauthorized' });
    expect(errors.map(({ message }) => message).join()).not.toContain(token);
  });

  it('asks again for a token that has expired, and connects with the next', async () => {
    let calls = 0;
    const manager = client('1', {
      getToken: async () => {
        calls++;
        const expiresAt = calls === 1 ? hour() - 7_200 : hour();
        return new SignJWT({ sub: '1', exp: expiresAt, subs: { 'trpc:global': {} } })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(key);
      },
    });
    const listener = createRecorder();
    const reasons: unknown[] = [];
    manager.onStatus(({ reason }) => reasons.push(reason));
    manager.subscribe('trpc:global', listener.handler, listener.options);
    await eventually(() => expect(listener.joins).toHaveLength(1));
    expect(calls).toBe(2);
    expect(reasons).toContainEqual(expect.objectContaining({ code: 'broker_error', brokerCode: 109 }));
  });

  it('renews a short grant and a short connection token without losing a message', async () => {
    let tokens = 0;
    let grants = 0;
    const manager = client('5', {
      getToken: () => {
        tokens++;
        return server.createConnectionToken({ userId: '5', ttlSeconds: 2 });
      },
      getChannelTokens: (channels) => {
        grants++;
        return server.createChannelTokens({ userId: '5', channels: channels as ['trpc:org:short'], ttlSeconds: 2 });
      },
    });
    const own = createRecorder();
    const org = createRecorder();
    manager.subscribe('trpc:user:5', own.handler, own.options);
    manager.subscribe('trpc:org:short', org.handler, org.options);
    await eventually(() => expect([tokens > 2, grants > 2]).toEqual([true, true]));
    await server.publish('trpc:user:5', event('a'));
    await server.publish('trpc:org:short', event('b'));
    await eventually(() => expect([own.messages.length, org.messages.length]).toEqual([1, 1]));
    expect([own.losses, org.losses]).toEqual([[], []]);
  });

  it('takes over a channel from a grant when a new connection token lists it, and back', async () => {
    let listed: Record<string, object> = {};
    let tokens = 0;
    const manager = client('6', {
      getToken: () => {
        tokens++;
        const claims = { sub: '6', subs: listed, exp: Math.floor(Date.now() / 1_000) + (tokens < 3 ? 2 : 3_600) };
        return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key);
      },
    });
    const listener = createRecorder();
    manager.subscribe('trpc:org:moving', listener.handler, listener.options);
    await eventually(() => expect(listener.joins).toHaveLength(1));
    expect(manager.isConnectionChannel('trpc:org:moving')).toBe(false);
    listed = { 'trpc:org:moving': {} };
    await eventually(() => expect(listener.joins.length).toBeGreaterThan(1));
    expect(manager.isConnectionChannel('trpc:org:moving')).toBe(true);
    listed = {};
    const { length } = listener.joins;
    await eventually(() => expect(listener.joins.length).toBeGreaterThan(length));
    expect(manager.isConnectionChannel('trpc:org:moving')).toBe(false);
    await server.publish('trpc:org:moving', event('after both'));
    await eventually(() => expect(listener.messages).toEqual([event('after both')]));
    expect(new Set(listener.losses.map(({ kind: how }) => how))).toEqual(new Set(['dropped']));
  });

  it('takes revocation for what it is: fresh tokens, and the channel ends where the server gives none', async () => {
    let isMember = true;
    const manager = client('9', {
      getChannelTokens: async (channels) =>
        isMember ? server.createChannelTokens({ userId: '9', channels: channels as ['trpc:org:left'] }) : [],
    });
    const own = createRecorder();
    const org = createRecorder();
    manager.subscribe('trpc:user:9', own.handler, own.options);
    manager.subscribe('trpc:org:left', org.handler, org.options);
    await eventually(() => expect([own.joins.length, org.joins.length]).toEqual([1, 1]));
    isMember = false;
    await server.revoke('9');
    await eventually(() => expect(org.lines.at(-1)).toBe('loss refused'));
    await eventually(() => expect(own.joins).toHaveLength(2));
    await server.publish('trpc:org:left', event('not yours'));
    await server.publish('trpc:user:9', event('yours'));
    await eventually(() => expect(own.messages).toEqual([event('yours')]));
    expect(org.messages).toEqual([]);
  });

  it('skips what is no message, and delivers a message of 1 MB and the one after it', async () => {
    const manager = client('1');
    const listener = createRecorder();
    manager.subscribe('trpc:global', listener.handler, listener.options);
    await eventually(() => expect(listener.joins).toHaveLength(1));
    await publishRaw('trpc:global', { type: 'from-the-future' });
    const large = 'x'.repeat(1_000_000);
    await publishRaw('trpc:global', { type: 'event', name: 'large', data: large });
    await server.publish('trpc:global', event('after'));
    await eventually(() => expect(listener.messages.at(-1)).toEqual(event('after')));
    expect(listener.messages).toEqual([event('large', large), event('after')]);
    expect(errors.map(({ code }) => code)).toEqual(['invalid_message']);
  });

  const publishRaw = (channel: string, data: unknown) =>
    fetch(`${broker.apiUrl}/publish`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
      body: JSON.stringify({ channel, data }),
    });

  it('publishes, asks for history and presence where the namespace allows it, with typed errors where not', async () => {
    const manager = client('1');
    await manager.publish('open:lobby' as 'trpc:lobby', event('hi'));
    expect(await manager.history('open:lobby', { limit: 5 })).toMatchObject({ publications: [{ data: event('hi') }] });
    expect(await manager.presenceStats('open:lobby')).toEqual({ clients: 0, users: 0 });
    const refused = await Promise.allSettled([
      manager.publish('trpc:global', event('x')),
      manager.publish('foreign:x', event('x')),
      manager.presence('trpc:global'),
      manager.history('trpc:org:not-joined'),
      manager.rpc('anything'),
      manager.rpc('anything', 'x'.repeat(1_000_000)),
    ]);
    expect(refused.map((result) => result.status === 'rejected' && result.reason)).toMatchObject([
      { code: 'broker_error', brokerCode: 103 },
      { code: 'broker_error', brokerCode: 102 },
      { code: 'broker_error', brokerCode: 103 },
      { code: 'broker_error', brokerCode: 103 },
      { code: 'broker_error', brokerCode: 108 },
      { code: 'invalid_message' },
    ]);
    expect(manager.status.state).toBe('connected');
  });

  it('keeps one socket while subscriptions come and go, and closes it after the grace', async () => {
    const manager = client('77', { disconnectGraceMs: 50 });
    const ends = Array.from({ length: 20 }, (_, id) => manager.subscribe(`trpc:org:${id % 5}`, () => {}));
    await eventually(() => expect(manager.status.state).toBe('connected'));
    expect((await server.presenceStats('trpc:global')).clients).toBeGreaterThan(0);
    for (const end of ends) {
      end();
      end();
    }
    await eventually(() => expect(manager.status.state).toBe('idle'));
    await eventually(async () => expect((await server.presenceStats('trpc:user:77')).clients).toBe(0));
  });
});

describe.each(kinds)('a $name that is killed and started again', (kind) => {
  it('is found again; every subscription is told that it may have missed something', async () => {
    let broker = await kind.start();
    const { port, wsUrl, apiUrl } = broker;
    const server = createRealtime({ apiUrl, apiKey: API_KEY, tokenSecret: SECRET });
    try {
      const manager = connect({ wsUrl, getToken: () => server.createConnectionToken({ userId: '1' }) });
      const listener = createRecorder();
      manager.subscribe('trpc:global', listener.handler, listener.options);
      await eventually(() => expect(listener.joins).toHaveLength(1));
      await server.publish('trpc:global', event('before'));
      await eventually(() => expect(listener.messages).toHaveLength(1));
      await broker.close();
      await eventually(() => expect(manager.status.state).toBe('reconnecting'));
      broker = await kind.start(port);
      await eventually(() => expect(listener.joins).toHaveLength(2));
      expect(listener.joins[1]).toMatchObject({ wasRecovering: true, recovered: false });
      await server.publish('trpc:global', event('after'));
      await eventually(() => expect(listener.messages).toHaveLength(2));
    } finally {
      await broker.close();
    }
  });
});

describe('a network between client and broker', () => {
  const online = () => {
    const target = new EventTarget();
    vi.stubGlobal('window', { addEventListener: target.addEventListener.bind(target) });
    vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
    return () => target.dispatchEvent(new Event('online'));
  };
  afterEach(() => vi.unstubAllGlobals());

  it.each(kinds)(
    'before $name that died silently is found when the page comes online; that was cut, at once; nothing is missed either way',
    async (kind) => {
      const comeOnline = online();
      const broker = await kind.start();
      const proxy = await FaultyProxy.listen(broker.port);
      const server = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET });
      try {
        const manager = connect({
          wsUrl: `ws://127.0.0.1:${proxy.port}/connection/websocket`,
          getToken: () => server.createConnectionToken({ userId: '1' }),
          probeTimeoutMs: 2_000,
        });
        const listener = createRecorder();
        manager.subscribe('trpc:global', listener.handler, listener.options);
        await eventually(() => expect(listener.joins).toHaveLength(1));
        comeOnline(); // alive: nothing happens
        await server.publish('trpc:global', event('a'));
        await eventually(() => expect(listener.messages).toHaveLength(1));
        proxy.abandon('all');
        await server.publish('trpc:global', event('b'));
        expect(manager.status.state).toBe('connected');
        comeOnline();
        await eventually(() => expect(listener.messages).toHaveLength(2));
        proxy.refuse(true);
        proxy.cut();
        await server.publish('trpc:global', event('c'));
        proxy.refuse(false);
        await eventually(() => expect(listener.messages).toHaveLength(3));
        expect(listener.lines.filter((line) => !line.startsWith('loss'))).toEqual([
          'join 0',
          'event a @1',
          'join 1 recovered',
          'event b @2 recovered',
          'join 2 recovered',
          'event c @3 recovered',
        ]);
        expect(proxy.accepted).toBe(3);
      } finally {
        await proxy.close();
        await broker.close();
      }
    },
  );
});

describe('a broker that does not speak the protocol', () => {
  it.each(['this is not JSON', '{"half":', '', '[1,2', '{}{}'])(
    'costs a socket and never the process: %j',
    async (frame) => {
      const socketServer = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await new Promise<void>((resolve) => socketServer.once('listening', resolve));
      let sockets = 0;
      socketServer.on('connection', (socket) => {
        sockets++;
        socket.on('message', () => socket.send(frame));
      });
      try {
        const { port } = socketServer.address() as { port: number };
        const manager = connect({
          wsUrl: `ws://127.0.0.1:${port}`,
          timeoutMs: 1_000,
          getToken: () => new SignJWT({ sub: '1' }).setProtectedHeader({ alg: 'HS256' }).sign(key),
        });
        manager.subscribe('trpc:global', () => {});
        await eventually(() => expect(sockets).toBeGreaterThan(1));
        expect(manager.status.state).toBe('reconnecting');
        expect(manager.status.reason?.message).not.toContain(frame || '\n');
      } finally {
        socketServer.close();
        for (const socket of socketServer.clients) socket.terminate();
      }
    },
  );
});
