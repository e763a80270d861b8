import { Centrifuge } from 'centrifuge';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { API_KEY, brokerKinds, type RunningBroker, SECRET } from '../../test/brokers.ts';
import { type ChannelName, Channels } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import type { RealtimeOptions } from './config.ts';
import { createRealtime } from './create-realtime.ts';
import type { Realtime } from './realtime.ts';

const MESSAGE: Message = { type: 'query-invalidation', queryKey: ['user', 'notifications'] };
describe.each(brokerKinds())('with the $name broker', (kind) => {
  let broker: RunningBroker;
  const cleanups: (() => void)[] = [];
  beforeAll(async () => {
    broker = await kind.start(undefined, { previousSecret: 'the-old-secret', audience: 'centrifugo' });
  });
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });
  afterAll(() => broker.close());

  const connect = (options: RealtimeOptions = {}): Realtime =>
    createRealtime({
      apiUrl: broker.apiUrl,
      apiKey: API_KEY,
      tokenSecret: SECRET,
      tokenAudience: 'centrifugo',
      ...options,
    });

  /** The official client, with the token that `getToken` gives. */
  function open(getToken: () => Promise<string>) {
    const client = new Centrifuge(broker.wsUrl, { websocket: WebSocket, getToken });
    cleanups.push(() => client.disconnect());
    const received: { channel: string; data: unknown; offset: number | undefined }[] = [];
    client.on('publication', ({ channel, data, offset }) => received.push({ channel, data, offset }));
    const outcome = new Promise<string>((resolve) => {
      client.on('connected', () => resolve('connected'));
      client.on('disconnected', ({ code }) => resolve(`disconnected ${code}`));
    });
    client.connect();
    return { client, received, outcome };
  }

  function join(client: Centrifuge, channel: ChannelName, token?: string) {
    const subscription = client.newSubscription(channel, token === undefined ? {} : { token });
    const outcomes: string[] = [];
    subscription.on('subscribed', () => outcomes.push('subscribed'));
    subscription.on('unsubscribed', ({ code }) => outcomes.push(`unsubscribed ${code}`));
    subscription.subscribe();
    return outcomes;
  }

  it('a publication reaches the user, at the position that publish gave', async () => {
    const realtime = connect();
    const { received, outcome } = open(() => realtime.createConnectionToken({ userId: '123' }));
    expect(await outcome).toBe('connected');
    const { position } = await realtime.publish(Channels.user('123'), MESSAGE);
    await realtime.publish(Channels.user('124'), MESSAGE);
    await realtime.publish(Channels.global(), MESSAGE);
    await expect.poll(() => received.length).toBe(2);
    expect(received).toEqual([
      { channel: 'trpc:user:123', data: MESSAGE, offset: position?.offset },
      { channel: 'trpc:global', data: MESSAGE, offset: expect.any(Number) },
    ]);
    expect(await realtime.positions([Channels.user('123'), Channels.org('new')])).toEqual(
      new Map<ChannelName, unknown>([
        [Channels.user('123'), position],
        [Channels.org('new'), { epoch: expect.any(String), offset: 0 }],
      ]),
    );
    expect((await realtime.history(Channels.user('123'), { limit: -1 })).publications).toEqual([
      { offset: position?.offset, data: MESSAGE, tags: {} },
    ]);
  });

  it('a user joins what a channel token names, and nothing else', async () => {
    const realtime = connect();
    const { client, outcome } = open(() => realtime.createConnectionToken({ userId: '123' }));
    await outcome;
    const channel = Channels.org('1');
    const granted = join(client, channel, await realtime.createChannelToken({ userId: '123', channel }));
    const foreign = join(client, Channels.user('124'));
    const ungranted = join(client, Channels.org('2'));
    await expect
      .poll(() => [...granted, ...foreign, ...ungranted])
      .toEqual(['subscribed', 'unsubscribed 103', 'unsubscribed 103']);
    expect(await realtime.subscriberCount(channel)).toBe(1);
    expect(await realtime.presence(channel)).toMatchObject([{ userId: '123' }]);
    expect(await realtime.presenceStats(channel)).toEqual({ clients: 1, users: 1 });
    // Centrifugo counts its connections every few seconds.
    const count = () => connect().connectionCount();
    await expect.poll(count, { interval: 200, timeout: 20_000 }).toBeGreaterThan(0);
  });

  it('revoke ends the subscription, and the client comes back for new tokens', async () => {
    const realtime = connect();
    let tokens = 0;
    const { client, outcome } = open(() => {
      tokens += 1;
      return realtime.createConnectionToken({ userId: '123' });
    });
    await outcome;
    const channel = Channels.org('3');
    const outcomes = join(client, channel, await realtime.createChannelToken({ userId: '123', channel }));
    await expect.poll(() => outcomes).toEqual(['subscribed']);
    const reconnected = new Promise((resolve) => client.once('connected', resolve));
    await realtime.revoke('123', channel);
    await reconnected;
    expect(outcomes).toEqual(['subscribed', 'unsubscribed 2000']);
    expect(tokens).toBe(2);
    expect(await createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY }).subscriberCount(channel)).toBe(0);
  });

  it('disconnect is final', async () => {
    const realtime = connect();
    const { client, outcome } = open(() => realtime.createConnectionToken({ userId: '125' }));
    await outcome;
    const ended = new Promise<number>((resolve) => client.on('disconnected', ({ code }) => resolve(code)));
    await realtime.disconnect('125');
    expect(await ended).toBe(3503);
  });

  it.each([
    ['the secret', {}, 'connected'],
    ['the previous secret, while a rotation lasts', { tokenSecret: 'the-old-secret' }, 'connected'],
    ['another secret', { tokenSecret: 'forged' }, 'disconnected 3500'],
    ['another audience', { tokenAudience: 'elsewhere' }, 'disconnected 3500'],
    ['no audience', { tokenAudience: undefined }, 'disconnected 3500'],
  ] as const)('a token with %s: %o', async (_name, options, expected) => {
    const { outcome } = open(() => connect(options).createConnectionToken({ userId: '123' }));
    expect(await outcome).toBe(expected);
  });

  it('the same idempotency key publishes once', async () => {
    const realtime = connect();
    const channel = Channels.org('4');
    const first = await realtime.publish(channel, MESSAGE, { idempotencyKey: 'job-1' });
    const again = await realtime.publish(channel, MESSAGE, { idempotencyKey: 'job-1' });
    expect(again).toEqual(first);
    expect((await realtime.history(channel)).position.offset).toBe(1);
  });

  it('1,000 publishes of a tick arrive in order, in at most 10 requests', async () => {
    let requests = 0;
    const counting: typeof fetch = (input, init) => {
      requests += 1;
      return fetch(input, init);
    };
    const realtime = connect({ fetch: counting });
    const { received, outcome } = open(() => realtime.createConnectionToken({ userId: '126' }));
    await outcome;
    const channels = [Channels.user('126'), Channels.org('5')] as const;
    const results = await Promise.all(
      Array.from({ length: 1000 }, (_one, at) =>
        realtime.publish(channels[at % 2] ?? channels[0], { type: 'event', name: 'n', data: at }),
      ),
    );
    expect(requests).toBeLessThanOrEqual(10);
    expect(results.map(({ position }) => position?.offset)).toEqual(
      Array.from({ length: 1000 }, (_one, at) => Math.floor(at / 2) + 1),
    );
    await expect.poll(() => received.length).toBe(500);
    expect(received.map(({ data }) => (data as { data: number }).data)).toEqual(
      Array.from({ length: 500 }, (_one, at) => at * 2),
    );
  });

  it('publishMany reaches every channel, and a wrong key is a typed error', async () => {
    const outcomes = await connect().publishMany([Channels.org('6'), Channels.org('7')], MESSAGE);
    expect(outcomes).toMatchObject([
      { ok: true, position: { offset: 1 } },
      { ok: true, position: { offset: 1 } },
    ]);
    const wrong = connect({ apiKey: 'wrong-key-nobody-may-see' }).publish(Channels.global(), MESSAGE);
    await expect(wrong).rejects.toMatchObject({
      code: 'api_unauthorized',
      message: expect.not.stringContaining('wrong'),
    });
  });
});
