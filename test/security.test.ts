import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createRealtime, type Realtime } from '../packages/realtime/src/server/index.ts';
import {
  API_KEY,
  brokerKinds,
  type RunningBroker,
  SECRET,
  type TokenRules,
} from '../packages/realtime/test/brokers.ts';

const ORIGIN = 'https://app.example.com';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.each(brokerKinds())('with the $name broker', (kind) => {
  async function start(rules: TokenRules = {}): Promise<{ broker: RunningBroker; realtime: Realtime }> {
    const broker = await kind.start(undefined, rules);
    cleanups.push(() => broker.close());
    const { secret: tokenSecret = SECRET } = rules;
    return { broker, realtime: createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret }) };
  }

  it('a channel that exists and one that does not are refused alike', async () => {
    const { broker, realtime } = await start();
    await realtime.publish('trpc:org:exists', { type: 'channel-invalidation' });
    const hostile = await connect(broker, await realtime.createConnectionToken({ userId: 'mallory' }));
    const [known, unknown] = [
      await hostile.call({ subscribe: { channel: 'trpc:org:exists' } }),
      await hostile.call({ subscribe: { channel: 'trpc:org:none' } }),
    ];
    expect(known).toMatchObject({ error: { code: 103 } });
    expect(unknown).toEqual(known);
  });

  it('nobody connects without a token', async () => {
    const { broker } = await start();
    expect(await outcomeOfConnect(broker, '')).toBe('closed 3501');
    expect(await outcomeOfConnect(broker, 'no.token.atall')).toBe('closed 3500');
  });

  it('a grant that was kept is good until it ends, and not a moment longer', async () => {
    const { broker, realtime } = await start();
    const channel = 'trpc:org:left';
    const token = await realtime.createChannelToken({ userId: 'mallory', channel, ttlSeconds: 3 });
    const connection = await realtime.createConnectionToken({ userId: 'mallory' });
    const honest = await connect(broker, connection);
    expect(await honest.call({ subscribe: { channel, token } })).toHaveProperty('subscribe');
    await realtime.revoke('mallory', channel);
    await expect.poll(() => honest.pushes()).toContain('unsubscribe');

    const again = await connect(broker, connection);
    expect(await again.call({ subscribe: { channel, token } })).toHaveProperty('subscribe');
    await expect
      .poll(async () => (await connect(broker, connection)).call({ subscribe: { channel, token } }), {
        timeout: 20_000,
      })
      .toMatchObject({ error: { code: 109 } });
  });

  it('a client may not publish, nor read history or presence', async () => {
    const { broker, realtime } = await start();
    const channel = 'trpc:user:mallory';
    const hostile = await connect(broker, await realtime.createConnectionToken({ userId: 'mallory' }));
    for (const call of [
      { publish: { channel, data: {} } },
      { publish: { channel: 'trpc:user:alice', data: {} } },
      { history: { channel } },
      { presence: { channel } },
      { presence_stats: { channel } },
    ])
      expect(await hostile.call(call), JSON.stringify(call)).toMatchObject({ error: { code: 103 } });
  });

  it('a token opens no API, and the API key no connection', async () => {
    const { broker, realtime } = await start();
    const token = await realtime.createConnectionToken({ userId: 'mallory' });
    for (const stolen of [token, SECRET]) {
      const thief = createRealtime({ apiUrl: broker.apiUrl, apiKey: stolen });
      await expect(thief.publish('trpc:global', { type: 'channel-invalidation' })).rejects.toMatchObject({
        code: 'api_unauthorized',
      });
    }
    const forger = createRealtime({ tokenSecret: API_KEY });
    expect(await outcomeOfConnect(broker, await forger.createConnectionToken({ userId: 'alice' }))).toBe('closed 3500');
  });

  it('a page of a foreign origin gets no connection', async () => {
    const { broker, realtime } = await start({ origin: ORIGIN });
    const token = await realtime.createConnectionToken({ userId: 'alice' });
    expect(await outcomeOfConnect(broker, token, 'https://evil.example')).toBe('HTTP 403');
    expect(await outcomeOfConnect(broker, token, ORIGIN)).toBe('connected');
  });

  it('a secret is changed without an interruption, and then the old one is worth nothing', async () => {
    const signedWith = (tokenSecret: string) =>
      createRealtime({ tokenSecret }).createConnectionToken({ userId: 'alice' });
    const both = await start({ secret: 'new-secret', previousSecret: 'old-secret' });
    expect(await outcomeOfConnect(both.broker, await signedWith('old-secret'))).toBe('connected');
    expect(await outcomeOfConnect(both.broker, await signedWith('new-secret'))).toBe('connected');
    const after = await start({ secret: 'new-secret' });
    expect(await outcomeOfConnect(after.broker, await signedWith('old-secret'))).toBe('closed 3500');
    expect(await outcomeOfConnect(after.broker, await signedWith('new-secret'))).toBe('connected');
  });
});

type Reply = Readonly<Record<string, unknown>>;

/** A client without manners: frames as it likes. */
async function connect(broker: RunningBroker, token: string) {
  const socket = new WebSocket(broker.wsUrl);
  cleanups.push(() => socket.terminate());
  const waiting = new Map<number, (reply: Reply) => void>();
  const pushes: Reply[] = [];
  socket.on('message', (frame) => {
    for (const line of String(frame).split('\n')) {
      const reply = line === '' ? {} : JSON.parse(line);
      if (reply.push) pushes.push(reply.push);
      waiting.get(reply.id)?.(reply);
    }
  });
  let lastId = 0;
  const call = (command: Reply) => {
    const id = ++lastId;
    return new Promise<Reply>((resolve) => {
      waiting.set(id, ({ id: _, ...reply }) => resolve(reply));
      socket.send(JSON.stringify({ id, ...command }));
    });
  };
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  expect(await call({ connect: { token } })).toHaveProperty('connect');
  return { call, pushes: () => pushes.flatMap(Object.keys) };
}

function outcomeOfConnect(broker: RunningBroker, token: string, origin?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(broker.wsUrl, origin === undefined ? {} : { origin });
    cleanups.push(() => socket.terminate());
    socket.on('open', () => socket.send(JSON.stringify({ id: 1, connect: token === '' ? {} : { token } })));
    socket.on('message', (frame) => resolve(JSON.parse(String(frame)).connect ? 'connected' : String(frame)));
    socket.on('close', (code) => resolve(`closed ${code}`));
    socket.on('unexpected-response', (_request, response) => resolve(`HTTP ${response.statusCode}`));
    socket.on('error', reject);
  });
}
