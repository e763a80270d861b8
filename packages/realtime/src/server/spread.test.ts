import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { type ChannelName, Channels } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import type { RealtimeOptions } from './config.ts';
import { createRealtime } from './create-realtime.ts';
import { callClock } from './deadline.ts';
import { type SpreadOptions, spreadBySubscribers } from './spread.ts';

function policy(connections: number, subscribers: number, options?: SpreadOptions) {
  const asked: string[] = [];
  const counts = {
    connections: async () => {
      asked.push('all');
      return connections;
    },
    subscribers: async (channel: ChannelName) => {
      asked.push(channel);
      return subscribers;
    },
  };
  return { asked, spread: spreadBySubscribers(counts, callClock, options) };
}

const poll: ChannelName = 'trpc:poll:1';

it.each([
  ['few connections need none', Channels.global(), 99, 99, undefined, 0],
  ['a millisecond per subscriber', Channels.global(), 2000, 1500, undefined, 1500],
  ['few subscribers of many connections need none', Channels.org('1'), 2000, 99, undefined, 0],
  ['at most ten seconds', Channels.global(), 1e6, 1e6, undefined, 10_000],
  ['a user has few tabs', Channels.user('1'), 1e6, 1e6, undefined, 0],
  ['a scope can say how much', poll, 1000, 1000, { scopes: { poll: { perSubscriberMs: 3, maxMs: 2000 } } }, 2000],
  ['a scope can say never', poll, 1000, 1000, { scopes: { poll: false } }, 0],
  ['other scopes keep the default', poll, 1000, 1000, { scopes: { org: false } }, 1000],
  ['a smaller delay can be worth it', Channels.global(), 20, 20, { minMs: 10 }, 20],
] as const)('%s', async (_, channel, connections, subscribers, options, spreadMs) => {
  expect(await policy(connections, subscribers, options).spread(channel)).toBe(spreadMs);
});

it('asks for no channel as long as all connections together need no spread', async () => {
  const { asked, spread } = policy(99, 99);
  await spread(Channels.org('1'));
  await spread(Channels.user('1'));
  expect(asked).toEqual(['all']);
});

it('does not wait longer than 100 ms for a count, nor fail with it', async () => {
  const clock = new ManualClock();
  const never = () => new Promise<number>(() => undefined);
  const waiting = spreadBySubscribers({ connections: never, subscribers: never }, clock)(Channels.global());
  await expect.poll(() => clock.pending).toEqual([100]);
  clock.advance(100);
  expect(await waiting).toBe(0);
  const failing = () => Promise.reject(new Error('down'));
  expect(await spreadBySubscribers({ connections: failing, subscribers: failing }, clock)(Channels.global())).toBe(0);
  expect(clock.pending).toEqual([]);
});

it('after a count that did not come, waits for no other one for a second', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const connections = () => {
    asked++;
    return Promise.reject(new Error('down'));
  };
  const spread = spreadBySubscribers({ connections, subscribers: connections }, clock);
  expect(await spread(Channels.global())).toBe(0);
  expect(spread(Channels.global())).toBe(0);
  expect(asked).toBe(1);
  clock.advance(1_000);
  expect(await spread(Channels.global())).toBe(0);
  expect(asked).toBe(2);
});

describe('what is published', () => {
  const ALL: Message = { type: 'channel-invalidation' };
  const ORG = Channels.org('1');
  let api: FakeApi;
  let connections = 0;
  let subscribers = 0;
  let countsComeAt: Promise<void> | undefined;
  beforeEach(async () => {
    api = await FakeApi.start();
    connections = 5_000;
    subscribers = 700;
    countsComeAt = undefined;
    api.handler = async ({ method, body }) => {
      if (method === 'info' || method === 'channels') await countsComeAt;
      if (method === 'info') return { body: { result: { nodes: [{ num_clients: connections }] } } };
      if (method === 'channels')
        return { body: { result: { channels: { [body.pattern]: { num_clients: subscribers } } } } };
      return undefined;
    };
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await api.close();
  });
  /** Whose time stands still: a count never comes too late. */
  const connect = (options: RealtimeOptions = {}) =>
    createRealtime({ apiUrl: api.url, apiKey: 'key', clock: new ManualClock(), ...options });
  /** Counts come when the returned function is called. */
  const holdCounts = () => {
    let release = () => {};
    countsComeAt = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  };
  const countsAsked = () => api.methods.filter((method) => method === 'info' || method === 'channels').length;

  it('is spread by the number of subscribers, which is asked once for many publications', async () => {
    const realtime = connect();
    for (let at = 0; at < 30; at++) await realtime.publish(ORG, ALL);
    expect(api.published.get(ORG)).toEqual(Array.from({ length: 30 }, () => ({ ...ALL, spreadMs: 700 })));
    expect(countsAsked()).toBe(2);
  });

  it('goes on with the last count while an old one is asked anew', async () => {
    const clock = new ManualClock();
    const realtime = connect({ clock });
    await realtime.publish(ORG, ALL);
    subscribers = 900;
    clock.advance(10_000);
    const release = holdCounts();
    await realtime.publish(ORG, ALL);
    release();
    await expect
      .poll(async () => {
        await realtime.publish(ORG, ALL);
        return (api.published.get(ORG) ?? []).at(-1);
      })
      .toEqual({ ...ALL, spreadMs: 900 });
    expect(api.published.get(ORG)?.slice(0, 2)).toEqual([
      { ...ALL, spreadMs: 700 },
      { ...ALL, spreadMs: 700 },
    ]);
  });

  it('keeps its order where the first waits for its count', async () => {
    const release = holdCounts();
    const realtime = connect();
    const event: Message = { type: 'event', name: 'x', data: 1 };
    const sent = [realtime.publish(ORG, ALL), realtime.publish(ORG, event), realtime.publish('trpc:user:1', ALL)];
    await sent[2];
    expect(api.published.get(ORG)).toBe(undefined);
    release();
    await Promise.all(sent);
    const spread = (api.published.get(ORG) ?? []).map((data) => (data as { type: string }).type);
    expect(spread).toEqual(['channel-invalidation', 'event']);
  });

  it('shares a request with what was published in the same tick', async () => {
    const realtime = connect();
    await Promise.all(
      Array.from({ length: 200 }, (_, at) => realtime.publish(Channels.org(`${at}`), { ...ALL, spreadMs: 0 })),
    );
    expect(api.methods).toEqual(['batch']);
    await Promise.all(Array.from({ length: 200 }, () => realtime.publish(ORG, ALL)));
    expect(api.methods.filter((method) => method === 'batch')).toHaveLength(2);
  });

  it.each<[string, Message, RealtimeOptions, Message]>([
    ['a spread of its own stays', { ...ALL, spreadMs: 5 }, {}, { ...ALL, spreadMs: 5 }],
    ['0 is never', { ...ALL, spreadMs: 0 }, {}, ALL],
    ['an event is not spread', { type: 'event', name: 'x', data: 1 }, {}, { type: 'event', name: 'x', data: 1 }],
    ['false is never', ALL, { spread: false }, ALL],
    ['a policy of the app decides', ALL, { spread: () => 40 }, { ...ALL, spreadMs: 40 }],
    ['also one that thinks', ALL, { spread: async () => 40 }, { ...ALL, spreadMs: 40 }],
    ['a scope can say never', ALL, { spread: { scopes: { org: false } } }, ALL],
  ])('%s', async (_, message, options, expected) => {
    await connect(options).publish(ORG, message);
    expect(api.published.get(ORG)).toEqual([expected]);
  });

  it.each<[string, () => number | Promise<number>]>([
    [
      'throws',
      () => {
        throw new Error('of the app');
      },
    ],
    ['rejects', () => Promise.reject(new Error('of the app'))],
  ])('is not lost where a policy %s, which is printed', async (_, spread) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    await connect({ spread }).publish(ORG, ALL);
    expect(api.published.get(ORG)).toEqual([ALL]);
    expect(printed).toHaveBeenCalledOnce();
  });

  it('to many channels is spread as the largest of them asks, without counting each', async () => {
    const channels = Array.from({ length: 50 }, (_, at) => Channels.org(`${at}`));
    await connect().publishMany(channels, ALL);
    expect(api.published.get(ORG)).toEqual([{ ...ALL, spreadMs: 700 }]);
    expect(countsAsked()).toBeLessThanOrEqual(21);
  });
});
