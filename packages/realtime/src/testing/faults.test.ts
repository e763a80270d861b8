import { expect, it } from 'vitest';
import type { ChannelName } from '../core/channel.ts';
import { BrokerError } from '../core/errors.ts';
import { createTestRealtime, seededRandom } from './index.ts';

const CHANNELS: readonly ChannelName[] = ['trpc:global', 'trpc:user:1', 'trpc:org:1', 'trpc:org:2'];
const STEPS = 60;

/** What one subscription was told, checked as it comes: every publication after a join, in order, each once. */
class Follower {
  isCovered = false;
  epoch = '';
  /** Delivered in order up to here. */
  cursor = 0;
  readonly faults: string[] = [];
  joins = 0;
  recovered = 0;
}

/** One run of everything that can go wrong, from a seed. Returns what happened, as lines. */
async function run(seed: number, canLose: boolean): Promise<string[]> {
  const realtime = createTestRealtime({ seed, latencyMs: seed % 3 ? 40 : 0, historySize: 20 });
  const client = realtime.createClient({
    userId: '1',
    grantTtlSeconds: 30,
    tokenTtlSeconds: 90,
    probeTimeoutMs: 2_000,
  });
  const random = seededRandom(seed * 7_919);
  const log: string[] = [];
  const followers = new Map(CHANNELS.map((channel) => [channel, new Follower()]));
  for (const [channel, follower] of followers)
    client.manager.subscribe(
      channel,
      (_message, { position, recovered }) => {
        log.push(`${channel} ${position?.offset}${recovered ? ' recovered' : ''}`);
        if (!follower.isCovered) follower.faults.push('a publication without a join');
        if (!position || position.epoch !== follower.epoch) follower.faults.push('a publication of another epoch');
        else if (position.offset <= follower.cursor) follower.faults.push(`${position.offset} came again`);
        else if (!canLose && position.offset > follower.cursor + 1)
          follower.faults.push(`lost before ${position.offset}`);
        follower.cursor = position?.offset ?? 0;
      },
      {
        onJoin: ({ position, recovered }) => {
          log.push(`${channel} join ${position?.offset} ${recovered}`);
          if (follower.isCovered) follower.faults.push('a join of a joined channel');
          if (recovered && !canLose && (position?.epoch !== follower.epoch || position.offset !== follower.cursor))
            follower.faults.push('a recovery from elsewhere');
          follower.isCovered = true;
          follower.epoch = position?.epoch ?? '';
          follower.cursor = position?.offset ?? 0;
          follower.joins++;
          if (recovered) follower.recovered++;
        },
        onLoss: ({ kind }) => {
          log.push(`${channel} loss ${kind}`);
          if (!follower.isCovered && kind === 'dropped') follower.faults.push('a drop of what was not joined');
          follower.isCovered = false;
        },
      },
    );
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const { broker } = realtime;
  const happenings: (() => void | Promise<void>)[] = [
    () => client.drop(),
    () => client.halfOpen(),
    () => broker.restart(),
    () => broker.expireTokens(),
    () => broker.dropHistory(),
    () => broker.disconnect('1', 3014, 'state invalidated'),
    () => broker.disconnect('1', 3012, 'no pong'),
    () => client.manager.reconnect(),
    () => realtime.sleep(20_000),
    () => {
      broker.isUp = !broker.isUp;
      if (!broker.isUp) broker.closeAll(3001, 'shutdown');
    },
    () => realtime.setFaults({ duplicate: 0.3, delay: 0.3, ...(canLose && { lose: 0.3 }) }),
    () => realtime.setFaults({}),
    () => broker.failPublishes(),
  ];
  for (let step = 0; step < STEPS; step++) {
    for (let count = Math.floor(random() * 4); count > 0; count--)
      try {
        realtime.publish(pick(CHANNELS), { type: 'channel-invalidation' });
      } catch (error) {
        expect(error).toBeInstanceOf(BrokerError);
      }
    if (random() < 0.4) await pick(happenings)();
    await realtime.advance(pick([0, 10, 500, 5_000]));
  }
  broker.isUp = true;
  realtime.setFaults({});
  await realtime.advance(90_000);
  for (const [channel, follower] of followers) {
    expect(follower.faults, `${channel}, seed ${seed}`).toEqual([]);
    expect(follower.isCovered, `${channel} is joined, seed ${seed}`).toBe(true);
    if (!canLose)
      expect({ epoch: follower.epoch, offset: follower.cursor }, `${channel}, seed ${seed}`).toEqual(
        broker.position(channel),
      );
  }
  log.push(`joins ${[...followers.values()].map(({ joins, recovered }) => `${joins}/${recovered}`).join(' ')}`);
  expect(client.manager.status.state).toBe('connected');
  realtime.dispose();
  expect(realtime.clock.pending, `timers left, seed ${seed}`).toBe(0);
  return log;
}

it.each(Array.from({ length: 25 }, (_, at) => at + 1))(
  'whatever goes wrong, every channel is joined in the end and missed nothing that it was not told of (seed %i)',
  async (seed) => {
    const log = await run(seed, false);
    expect(log.length).toBeGreaterThan(CHANNELS.length);
  },
);

it.each([101, 102, 103])('publications lost on the wire cost themselves only (seed %i)', async (seed) => {
  await run(seed, true);
});

it('a seed repeats a run to the letter', async () => {
  expect(await run(5, false)).toEqual(await run(5, false));
});
