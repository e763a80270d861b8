import { expect, it } from 'vitest';
import type { ChannelName } from '../core/channel.ts';
import { createTestRealtime, seededRandom } from './index.ts';

const CHANNELS: readonly ChannelName[] = ['trpc:org:1', 'trpc:org:2', 'trpc:org:3', 'trpc:global'];
const STEPS = 80;

/**
 * Subscriptions that come and go, memberships, token lists and users that change, over a connection that breaks. Whatever the order: nobody hears what the
 * session may not read, nothing comes before its join or after its end, and in the end what is wanted and allowed is joined, and nothing else.
 */
async function run(seed: number): Promise<{ joins: number; refusals: number }> {
  const random = seededRandom(seed * 104_729);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const members = new Set<string>(['1 trpc:org:1', '1 trpc:org:2', '2 trpc:org:3']);
  let userId = '1';
  let listed: ChannelName[] = ['trpc:global'];
  const faults: string[] = [];
  const count = { joins: 0, refusals: 0 };
  const realtime = createTestRealtime({ seed, latencyMs: pick([0, 30]), channelLimit: 3 });
  const { broker } = realtime;
  const mayRead = (user: string, channel: string) => members.has(`${user} ${channel}`);
  const client = realtime.createClient({
    maxChannels: 3,
    getToken: async () => broker.issueToken({ userId, channels: listed, ttlSeconds: pick([20, 600]) }),
    getChannelTokens: async (channels) => {
      const user = userId;
      if (random() < 0.2) throw new TypeError('offline');
      return channels
        .filter((channel) => mayRead(user, channel))
        .map((channel) => ({
          channel,
          token: broker.issueToken({ userId: user, channel, ttlSeconds: pick([15, 600]) }),
        }));
    },
  });
  const open = new Map<ChannelName, Set<() => void>>(CHANNELS.map((channel) => [channel, new Set()]));
  const subscribe = (channel: ChannelName) => {
    let isCovered = false;
    let isEnded = false;
    let last: number | null = null;
    const end = client.manager.subscribe(
      channel,
      (_message, { position }) => {
        if (isEnded) faults.push(`${channel}: a message after the end`);
        if (!isCovered) faults.push(`${channel}: a message before a join`);
        const offset = position?.offset ?? 0;
        if (last !== null && offset !== last + 1) faults.push(`${channel}: ${offset} after ${last}`);
        last = offset;
      },
      {
        onJoin: ({ position }) => {
          if (isEnded || isCovered) faults.push(`${channel}: a join ${isEnded ? 'after the end' : 'twice'}`);
          isCovered = true;
          last = position?.offset ?? null;
          count.joins++;
        },
        onLoss: ({ kind }) => {
          if (isEnded) faults.push(`${channel}: a loss after the end`);
          if (kind === 'dropped' && !isCovered) faults.push(`${channel}: dropped, but not joined`);
          if (kind === 'refused') count.refusals++;
          isCovered = false;
        },
      },
    );
    open.get(channel)?.add(() => {
      isEnded = true;
      end();
    });
  };
  const unsubscribe = (channel: ChannelName) => {
    const ends = open.get(channel);
    const [end] = ends ?? [];
    if (!end) return;
    end();
    ends?.delete(end);
  };
  const toggle = (user: string, channel: string) => {
    if (!members.delete(`${user} ${channel}`)) members.add(`${user} ${channel}`);
    broker.disconnect(user, 3014, 'state invalidated');
  };
  const happenings: (() => void | Promise<void>)[] = [
    () => subscribe(pick(CHANNELS)),
    () => subscribe(pick(CHANNELS)),
    () => unsubscribe(pick(CHANNELS)),
    () => unsubscribe(pick(CHANNELS)),
    () => toggle(pick(['1', '2']), pick(CHANNELS)),
    () => {
      listed = pick([['trpc:global'], ['trpc:org:1'], ['trpc:org:1', 'trpc:global'], []]);
    },
    () => {
      userId = pick(['1', '2']);
      client.manager.reconnect();
    },
    () => {
      userId = pick(['1', '2']); // noticed when the token expires
    },
    () => client.manager.addGrant(realtime.grant(pick(['1', '2']), pick(CHANNELS))),
    () => client.drop(),
    () => client.halfOpen(),
    () => broker.expireTokens(),
    () => broker.unsubscribe(userId, pick(CHANNELS)),
    () => client.manager.reconnect(),
  ];
  for (let step = 0; step < STEPS; step++) {
    await pick(happenings)();
    for (let left = Math.floor(random() * 3); left > 0; left--)
      realtime.publish(pick(CHANNELS), { type: 'channel-invalidation' });
    await realtime.advance(pick([0, 0, 20, 600, 8_000]));
  }
  for (const channel of CHANNELS) members.add(`${userId} ${channel}`);
  listed = ['trpc:global'];
  client.manager.reconnect();
  await realtime.advance(120_000);
  const wanted = CHANNELS.filter((channel) => open.get(channel)?.size);
  const allowed = wanted.length ? [...new Set<string>([...listed, ...wanted])] : [];
  expect(faults, `seed ${seed}`).toEqual([]);
  if (allowed.length <= 3) expect([...client.channels].sort(), `seed ${seed}`).toEqual(allowed.sort());
  else expect(client.channels, `seed ${seed}`).toHaveLength(3);
  expect(broker.connections, `seed ${seed}`).toBe(wanted.length ? 1 : 0);
  realtime.dispose();
  expect(realtime.clock.pending, `timers left, seed ${seed}`).toBe(0);
  return count;
}

it('subscriptions, memberships, token lists and users may change in any order', async () => {
  const total = { joins: 0, refusals: 0 };
  for (let seed = 1; seed <= 20; seed++) {
    const { joins, refusals } = await run(seed);
    total.joins += joins;
    total.refusals += refusals;
  }
  expect(total.joins).toBeGreaterThan(100);
  expect(total.refusals).toBeGreaterThan(20);
});
