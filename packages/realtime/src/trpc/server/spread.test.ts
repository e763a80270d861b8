import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/manual-clock.ts';
import { type ChannelName, Channels } from '../../core/channel.ts';
import { callClock } from '../../server/deadline.ts';
import { type SpreadOptions, spreadBySubscribers } from './spread.ts';

function policy(connections: number, subscribers: number, options?: SpreadOptions) {
  const asked: string[] = [];
  const realtime = {
    connectionCount: async () => {
      asked.push('all');
      return connections;
    },
    subscriberCount: async (channel: ChannelName) => {
      asked.push(channel);
      return subscribers;
    },
  };
  return { asked, spread: spreadBySubscribers(realtime, callClock, options) };
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
  const waiting = spreadBySubscribers({ connectionCount: never, subscriberCount: never }, clock)(Channels.global());
  await expect.poll(() => clock.pending).toEqual([100]);
  clock.advance(100);
  expect(await waiting).toBe(0);
  const failing = () => Promise.reject(new Error('down'));
  expect(
    await spreadBySubscribers({ connectionCount: failing, subscriberCount: failing }, clock)(Channels.global()),
  ).toBe(0);
  expect(clock.pending).toEqual([]);
});
