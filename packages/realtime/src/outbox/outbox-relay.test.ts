import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryOutbox } from '../../test/outbox/memory-outbox.ts';
import { type ChannelName, Channels } from '../core/channel.ts';
import { BrokerError } from '../core/errors.ts';
import { assertMessage, type Message } from '../core/message.ts';
import { ApiUnavailableError } from '../server/errors.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { OutboxRelay, type RelayParts } from './outbox-relay.ts';
import { faultReporter, type RelayFault } from './relay-faults.ts';

const ORG = Channels.org('1');
const ALL: Message = { type: 'channel-invalidation' };
const event = (name: string): Message => ({ type: 'event', name, data: null });
const down = () => new ApiUnavailableError('down', null);

type Publish = RelayParts['realtime']['publish'];

/** A broker in memory. */
class Broker {
  /** What it took, in order: `channel key`. */
  readonly taken: string[] = [];
  readonly messages: Message[] = [];
  /** Throws what the broker answers instead of taking it. */
  answer: (channel: ChannelName, message: Message) => void = () => {};
  calls = 0;

  readonly publish: Publish = async (channel, message, options) => {
    this.calls += 1;
    assertMessage(message);
    this.answer(channel, message);
    this.taken.push(`${channel} ${options?.idempotencyKey}`);
    this.messages.push(message);
    return { channel, position: null };
  };
}

const relays: OutboxRelay[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

function setUp() {
  const clock = new VirtualClock();
  const outbox = new MemoryOutbox(() => clock.now());
  const broker = new Broker();
  const faults: RelayFault[] = [];
  const start = (more: Partial<RelayParts> = {}) => {
    const relay = new OutboxRelay({
      open: outbox.open,
      realtime: broker,
      report: (fault) => faults.push(fault),
      onState: undefined,
      clock,
      random: seededRandom(1),
      batchSize: 10,
      pollMs: 1000,
      maxAttempts: 4,
      retry: { minMs: 100, maxMs: 10_000 },
      ...more,
    });
    relays.push(relay);
    return relay;
  };
  return { clock, outbox, broker, faults, start };
}

describe('a relay', () => {
  it('publishes what waits in the order of rows, each under its own key, and deletes it', async () => {
    const { clock, outbox, broker, faults, start } = setUp();
    for (let n = 0; n < 25; n++) outbox.write(ORG, event(`${n}`));
    const relay = start();
    await clock.settle();
    expect(broker.taken).toEqual(Array.from({ length: 25 }, (_, n) => `${ORG} key-${n + 1}`));
    expect(outbox.waiting).toBe(0);
    expect(outbox.largestBatch).toBe(10);
    expect(relay.status).toEqual({ state: 'idle', published: 25, retries: 0, deadLetters: 0, lagMs: 0 });
    expect(faults).toEqual([]);
  });

  it('is woken by a notification, and finds by polling what it was not told of', async () => {
    const { clock, outbox, broker, start } = setUp();
    const relay = start({
      open: (events) => outbox.open({ ...events, onNotified: () => isHeard && events.onNotified() }),
    });
    let isHeard = true;
    await clock.settle();
    outbox.write(ORG, ALL);
    await clock.settle();
    expect(broker.taken).toHaveLength(1);
    isHeard = false;
    outbox.write(ORG, ALL);
    await clock.advance(999);
    expect(broker.taken).toHaveLength(1);
    await clock.advance(1);
    expect(broker.taken).toHaveLength(2);
    expect(relay.status.lagMs).toBe(1000);
  });

  it('publishes a row that was written while it read the one before', async () => {
    const { clock, outbox, broker, start } = setUp();
    outbox.write(ORG, event('first'));
    broker.answer = () => {
      broker.answer = () => {};
      outbox.write(ORG, event('second'));
    };
    start();
    await clock.settle();
    expect(broker.taken).toHaveLength(2);
  });

  it('publishes a row that becomes visible after rows with higher ids', async () => {
    const { clock, outbox, broker, start } = setUp();
    const late = outbox.reserve();
    outbox.write(ORG, event('early'));
    start();
    await clock.settle();
    outbox.write(ORG, event('late'), late);
    await clock.settle();
    expect(broker.taken).toEqual([`${ORG} key-2`, `${ORG} key-1`]);
  });

  it('stops after what is under way, leaves the rest to others, and gives back lock and connection', async () => {
    const { clock, outbox, broker, start } = setUp();
    for (let n = 0; n < 5; n++) outbox.write(ORG, event(`${n}`));
    const relay = start();
    let stopping: Promise<void> | undefined;
    broker.answer = (_, message) => {
      if (message.type === 'event' && message.name === '1') stopping = relay.stop();
    };
    await clock.settle();
    await stopping;
    await relay.stop();
    expect(broker.taken).toEqual([`${ORG} key-1`, `${ORG} key-2`]);
    expect(outbox.waiting).toBe(3);
    expect(outbox.connections).toBe(0);
    expect(clock.pending).toBe(0);
    expect(relay.status.state).toBe('stopped');
  });

  it('stopped while it has nothing to do leaves no timer behind', async () => {
    const { clock, outbox, start } = setUp();
    const relay = start();
    await clock.settle();
    outbox.write(ORG, ALL);
    await clock.settle();
    expect(clock.pending).toBe(1);
    await relay.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('a broker that is down', () => {
  it('for an hour costs few attempts and one batch of memory, and then gets everything in order', async () => {
    const { clock, outbox, broker, faults, start } = setUp();
    broker.answer = () => {
      throw down();
    };
    const relay = start({ batchSize: 100 });
    const order = new Map<ChannelName, string[]>();
    for (let n = 0; n < 1500; n++) {
      if (n % 100 === 0) await clock.advance(1000);
      for (const org of [n % 7, n % 3]) {
        const channel = Channels.org(org);
        const id = outbox.reserve();
        outbox.write(channel, event(`${n}`), id);
        order.set(channel, [...(order.get(channel) ?? []), `${channel} key-${id}`]);
      }
    }
    await clock.advance(3_585_000);
    expect(relay.status).toMatchObject({ state: 'waiting', published: 0, deadLetters: 0 });
    const attempts = outbox.reads;
    expect(attempts).toBeGreaterThan(350);
    expect(attempts).toBeLessThan(1500);

    broker.answer = () => {};
    await clock.advance(10_000);
    expect(outbox.waiting).toBe(0);
    expect(outbox.largestBatch).toBe(100);
    expect(broker.taken.filter((key) => !key.endsWith('-replaced'))).toHaveLength(3000);
    for (const [channel, keys] of order)
      expect(broker.taken.filter((taken) => taken.startsWith(`${channel} `) && !taken.endsWith('-replaced'))).toEqual(
        keys,
      );
    expect(relay.status).toMatchObject({ state: 'idle', deadLetters: 0 });
    expect(relay.status.lagMs).toBeGreaterThan(3_580_000);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['broker']));
  });

  it('holds up only the channel that fails', async () => {
    const { clock, outbox, broker, start } = setUp();
    broker.answer = (channel) => {
      if (channel === ORG) throw down();
    };
    outbox.write(ORG, event('a1'));
    outbox.write(ORG, event('a2'));
    outbox.write(Channels.org('2'), event('b1'));
    outbox.write(Channels.org('2'), event('b2'));
    start();
    await clock.settle();
    expect(broker.taken).toEqual(['trpc:org:2 key-3', 'trpc:org:2 key-4']);
    broker.answer = () => {};
    await clock.advance(10_000);
    expect(broker.taken.slice(2)).toEqual([`${ORG} key-1`, `${ORG} key-2`]);
  });
});

describe('a row that can never be published', () => {
  it.each<[string, string, string | null, string, string[]]>([
    ['is not JSON', ORG, '{', 'the message is not JSON', [`${ORG} key-1-replaced`]],
    ['is no message', ORG, '{"type":"refresh"}', 'not a message: unknown type "refresh"', [`${ORG} key-1-replaced`]],
    ['is too large to be read', ORG, null, 'the message is too large', [`${ORG} key-1-replaced`]],
    ['names no channel', 'org:1', '{"type":"channel-invalidation"}', 'the channel is not a channel name', []],
  ])(
    'because it %s is marked, and what it stood for is announced whole',
    async (_, channel, text, reason, replaced) => {
      const { clock, outbox, broker, faults, start } = setUp();
      outbox.write(channel, text);
      outbox.write(ORG, event('next'));
      const relay = start();
      await clock.settle();
      expect(broker.taken.sort()).toEqual([...replaced, `${ORG} key-2`].sort());
      if (replaced.length > 0) expect(broker.messages[0]).toEqual(ALL);
      expect(outbox.deadLetters).toEqual([{ id: 1, failure: expect.stringContaining(reason) }]);
      expect(outbox.waiting).toBe(0);
      expect(relay.status).toMatchObject({ published: 1, deadLetters: 1 });
      expect(faults).toEqual([
        { kind: 'dead-letter', error: null, rowId: '1', reason: expect.stringContaining(reason) },
      ]);
    },
  );

  it('because the broker refuses it is marked at once', async () => {
    const { clock, outbox, broker, start } = setUp();
    broker.answer = (_, message) => {
      if (message.type === 'event' && message.name === 'poison') throw new BrokerError(107, 'bad request');
    };
    outbox.write(ORG, event('poison'));
    outbox.write(ORG, event('next'));
    start();
    await clock.settle();
    expect(broker.taken).toEqual([`${ORG} key-1-replaced`, `${ORG} key-2`]);
    expect(outbox.deadLetters).toEqual([{ id: 1, failure: expect.stringContaining('broker_error') }]);
  });

  it('because the whole channel is refused is marked without a replacement', async () => {
    const { clock, outbox, broker, start } = setUp();
    broker.answer = () => {
      throw new BrokerError(102, 'unknown channel');
    };
    outbox.write(ORG, ALL);
    start();
    await clock.settle();
    expect(broker.taken).toEqual([]);
    expect(outbox.deadLetters).toHaveLength(1);
  });

  it('because the broker chokes on it is marked after some attempts, and meanwhile other channels are published', async () => {
    const { clock, outbox, broker, start } = setUp();
    broker.answer = (_, message) => {
      if (message.type === 'event' && message.name === 'poison') throw new BrokerError(100, 'internal server error');
    };
    outbox.write(ORG, event('poison'));
    outbox.write(ORG, event('next'));
    outbox.write(Channels.org('2'), event('other'));
    const relay = start();
    await clock.settle();
    expect(broker.taken).toEqual(['trpc:org:2 key-3']);
    await clock.advance(30_000);
    expect(broker.taken).toEqual(['trpc:org:2 key-3', `${ORG} key-1-replaced`, `${ORG} key-2`]);
    expect(relay.status).toMatchObject({ published: 2, retries: 3, deadLetters: 1 });
  });

  it('does not slow down the others: while some are taken, the pauses do not grow', async () => {
    const { clock, outbox, broker, start } = setUp();
    broker.answer = (_, message) => {
      if (message.type === 'event' && message.name === 'poison') throw new BrokerError(100, 'internal server error');
    };
    outbox.write(ORG, event('poison'));
    const relay = start({ random: () => 0.999, maxAttempts: 8 });
    for (let n = 0; n < 10; n++) {
      outbox.write(Channels.org('2'), event(`${n}`));
      await clock.advance(200);
    }
    expect(relay.status).toMatchObject({ published: 10, deadLetters: 1 });
  });

  it('is not taken for one because the broker came back between two attempts', async () => {
    const { clock, outbox, broker, start } = setUp();
    let calls = 0;
    broker.answer = () => {
      calls += 1;
      if (calls <= 4) throw down();
    };
    outbox.write(ORG, event('a'));
    start();
    await clock.advance(60_000);
    expect(broker.taken).toEqual([`${ORG} key-1-replaced`, `${ORG} key-1`]);
    expect(outbox.deadLetters).toEqual([]);
  });
});

describe('the database', () => {
  it('lost in the middle is connected again, and what was not deleted is published once more under its key', async () => {
    const { clock, outbox, broker, faults, start } = setUp();
    outbox.write(ORG, event('a'));
    outbox.write(ORG, event('b'));
    broker.answer = () => {
      broker.answer = () => {};
      outbox.breakConnections();
    };
    const relay = start();
    await clock.advance(10_000);
    expect(broker.taken).toEqual([`${ORG} key-1`, `${ORG} key-1`, `${ORG} key-2`]);
    expect(outbox.waiting).toBe(0);
    expect(relay.status.state).toBe('idle');
    expect(faults.map(({ kind }) => kind)).toContain('database');
  });

  it.each(['idle', 'standby', 'waiting'] as const)('lost while %s is connected again', async (state) => {
    const { clock, outbox, broker, start } = setUp();
    if (state === 'standby') start();
    await clock.settle();
    if (state === 'waiting') {
      broker.answer = () => {
        throw down();
      };
      outbox.write(ORG, ALL);
    }
    const relay = start();
    await clock.settle();
    expect(relay.status.state).toBe(state);
    broker.answer = () => {};
    outbox.breakConnections();
    expect(relay.status.state).toBe('disconnected');
    outbox.write(ORG, event('after'));
    await clock.advance(20_000);
    expect(outbox.waiting).toBe(0);
  });

  it('that cannot be reached, or lacks the table, is tried again with growing pauses', async () => {
    const { clock, outbox, broker, faults, start } = setUp();
    outbox.outage = new Error('ECONNREFUSED');
    outbox.write(ORG, ALL);
    const relay = start();
    await clock.advance(600_000);
    expect(relay.status.state).toBe('disconnected');
    expect(faults.length).toBeGreaterThan(50);
    expect(faults.length).toBeLessThan(250);
    outbox.outage = null;
    await clock.advance(10_000);
    expect(broker.taken).toHaveLength(1);
    outbox.outage = new Error('ECONNREFUSED');
    await clock.advance(2000);
    await relay.stop();
    expect(relay.status.state).toBe('stopped');
  });
});

describe('two relays', () => {
  it('do not both publish: one works, the other stands by and takes over', async () => {
    const { clock, outbox, broker, start } = setUp();
    const first = start();
    await clock.settle();
    const second = start();
    await clock.settle();
    outbox.write(ORG, event('a'));
    await clock.advance(5000);
    expect([first.status.state, second.status.state]).toEqual(['idle', 'standby']);
    expect([first.status.published, second.status.published]).toEqual([1, 0]);
    await first.stop();
    outbox.write(ORG, event('b'));
    await clock.advance(1000);
    expect(second.status).toMatchObject({ state: 'idle', published: 1 });
    expect(broker.taken).toEqual([`${ORG} key-1`, `${ORG} key-2`]);
  });
});

it('whatever fails when, every row is taken at least once, each channel in the order of its rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.array(fc.constantFrom('write', 'write', 'late', 'broker', 'database', 'time', 'notice'), { maxLength: 60 }),
      async (seed, steps) => {
        const { clock, outbox, broker, start } = setUp();
        const random = seededRandom(seed);
        const written: { readonly channel: ChannelName; readonly id: number }[] = [];
        const reserved: { readonly channel: ChannelName; readonly id: number }[] = [];
        let failing = 0;
        broker.answer = () => {
          if (random() < failing) throw random() < 0.5 ? down() : new BrokerError(100, 'internal');
        };
        const both = [start({ batchSize: 3, random }), start({ batchSize: 3, random })];
        for (const step of steps) {
          const channel = Channels.org(Math.floor(random() * 3));
          if (step === 'late') reserved.push({ channel, id: outbox.reserve() });
          if (step === 'write') {
            const id = outbox.reserve();
            outbox.write(channel, event('x'), id);
            written.push({ channel, id });
          }
          if (step === 'broker') failing = random() < 0.5 ? 0 : random();
          if (step === 'database') outbox.breakConnections();
          if (step === 'time') await clock.advance(random() * 5000);
        }
        failing = 0;
        for (const { channel, id } of reserved) outbox.write(channel, event('late'), id);
        await clock.advance(120_000);
        expect(outbox.waiting + outbox.deadLetters.length).toBe(outbox.deadLetters.length);
        const dead = new Set(outbox.deadLetters.map(({ id }) => id));
        const firstTaken = (channel: ChannelName, id: number) => broker.taken.indexOf(`${channel} key-${id}`);
        for (const { channel, id } of [...written, ...reserved])
          if (!dead.has(id)) expect(firstTaken(channel, id)).toBeGreaterThanOrEqual(0);
        for (const name of [0, 1, 2].map((org) => Channels.org(org))) {
          const places = written
            .filter(({ channel, id }) => channel === name && !dead.has(id))
            .map(({ id }) => firstTaken(name, id));
          expect(places).toEqual([...places].sort((a, b) => a - b));
        }
        await Promise.all(both.map((relay) => relay.stop()));
      },
    ),
    { numRuns: 60 },
  );
});

it('faults that nobody listens to are printed, one of a kind in ten seconds', async () => {
  const clock = new VirtualClock();
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const report = faultReporter(undefined, clock);
  report({ kind: 'broker', error: down() });
  report({ kind: 'broker', error: down() });
  report({ kind: 'dead-letter', error: null, rowId: '7', reason: 'the message is not JSON' });
  expect(printed.mock.calls.map(([text]) => text)).toEqual([
    '[@op/realtime] The outbox relay: the broker does not take what is published; it is tried again.',
    '[@op/realtime] The outbox relay: row 7 can never be published (the message is not JSON); it stays in the table, and a channel-invalidation took its place.',
  ]);
  await clock.advance(10_000);
  report({ kind: 'broker', error: down() });
  expect(printed).toHaveBeenCalledTimes(3);
  const throwing = faultReporter(() => {
    throw new Error('of the app');
  }, clock);
  throwing({ kind: 'broker', error: down() });
  expect(printed).toHaveBeenLastCalledWith('[@op/realtime] onFault of the outbox relay threw.', expect.any(Error));
});
