import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../core/message.ts';
import { createRecorder, createTestRealtime, type TestRealtime, type TestRealtimeOptions } from '../testing/index.ts';

let realtime: TestRealtime;
const start = (options: TestRealtimeOptions = {}) => {
  realtime = createTestRealtime(options);
  return realtime;
};
afterEach(() => realtime.dispose());

const event = (name: string): Message => ({ type: 'event', name, data: null });

describe('subscribe', () => {
  it('delivers a channel of the connection token, with its position', async () => {
    const { manager } = start().createClient({ userId: '123' });
    const listener = createRecorder();
    manager.subscribe('trpc:user:123', listener.handler, listener.options);
    await realtime.settled();
    const position = realtime.publish('trpc:user:123', event('a'));
    await realtime.settled();
    expect(listener.lines).toEqual(['join 0', 'event a @1']);
    expect(listener.publications[0]?.position).toEqual(position);
    expect(manager.isConnectionChannel('trpc:user:123')).toBe(true);
    expect(manager.isConnectionChannel('trpc:org:1')).toBe(false);
  });

  it('delivers a channel by a grant, and asks for many grants of a tick in one call', async () => {
    const { manager, grantCalls } = start().createClient();
    const first = createRecorder();
    const second = createRecorder();
    manager.subscribe('trpc:org:1', first.handler, first.options);
    manager.subscribe('trpc:org:2', second.handler, second.options);
    await realtime.advance(10);
    realtime.publish('trpc:org:2', event('b'));
    await realtime.settled();
    expect(first.lines).toEqual(['join 0']);
    expect(second.lines).toEqual(['join 0', 'event b @1']);
    expect(grantCalls).toEqual([['trpc:org:1', 'trpc:org:2']]);
  });

  it('uses a grant that came with an answer, and asks nobody', async () => {
    const client = start().createClient({ userId: '7' });
    const listener = createRecorder();
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    expect(listener.lines).toEqual(['join 0']);
    expect(client.grantCalls).toEqual([]);
  });

  it('lets the token win: a listed channel is never asked for by a grant, whatever its scope says', async () => {
    const client = start().createClient({ userId: '7', connectionChannels: ['trpc:org:1'] });
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    expect(listener.lines).toEqual(['join 0']);
    expect(client.manager.isConnectionChannel('trpc:org:1')).toBe(true);
    expect(realtime.broker.channelsOf('7')).toEqual(['trpc:org:1']);
  });

  it('counts references: the channel is left after the last subscription, once', async () => {
    const { manager } = start().createClient({ userId: '7' });
    const a = createRecorder();
    const b = createRecorder();
    const endA = manager.subscribe('trpc:org:1', a.handler);
    const endB = manager.subscribe('trpc:org:1', b.handler);
    await realtime.advance(10);
    endA();
    endA();
    await realtime.advance(10);
    realtime.publish('trpc:org:1', event('for b'));
    await realtime.settled();
    expect(a.lines).toEqual([]);
    expect(b.lines).toEqual(['event for b @1']);
    await realtime.advance(60_000);
    expect(manager.status.state).toBe('connected');
    endB();
    await realtime.advance(10);
    expect(realtime.broker.channelsOf('7')).not.toContain('trpc:org:1');
  });

  it('takes the same handler twice as two registrations that each end their own', async () => {
    const { manager } = start().createClient({ userId: '7' });
    const listener = createRecorder();
    const end = manager.subscribe('trpc:global', listener.handler);
    manager.subscribe('trpc:global', listener.handler);
    await realtime.settled();
    realtime.publish('trpc:global', event('a'));
    await realtime.settled();
    end();
    end();
    realtime.publish('trpc:global', event('b'));
    await realtime.settled();
    expect(listener.lines).toEqual(['event a @1', 'event a @1', 'event b @2']);
  });

  it('survives the double mount of StrictMode with one join', async () => {
    const client = start().createClient({ userId: '7' });
    const first = createRecorder();
    const second = createRecorder();
    client.manager.subscribe('trpc:org:1', () => {});
    await realtime.advance(10);
    const end = client.manager.subscribe('trpc:org:2', first.handler, first.options);
    end();
    client.manager.subscribe('trpc:org:2', second.handler, second.options);
    await realtime.advance(10);
    expect(second.lines).toEqual(['join 0']);
    expect(first.lines).toEqual([]);
    expect(client.grantCalls).toEqual([['trpc:org:1'], ['trpc:org:2']]);
    expect(client.attempts).toBe(1);
  });

  it('gives a late subscriber a join where the stream stands now, and nothing that came before it', async () => {
    const { manager } = start().createClient();
    manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    realtime.publish('trpc:global', event('early'));
    realtime.publish('trpc:global', event('early too'));
    await realtime.settled();
    const late = createRecorder();
    manager.subscribe('trpc:global', late.handler, late.options);
    await realtime.settled();
    realtime.publish('trpc:global', event('after'));
    await realtime.settled();
    expect(late.lines).toEqual(['join 2', 'event after @3']);
    expect(late.joins[0]).toMatchObject({ recovered: false, wasRecovering: false });
  });

  it('keeps the place of a channel that the connection carries while nobody listens', async () => {
    const { manager } = start().createClient();
    manager.subscribe('trpc:user:user-1', () => {});
    const end = manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    end();
    await realtime.settled();
    realtime.publish('trpc:global', event('unheard'));
    await realtime.settled();
    const late = createRecorder();
    manager.subscribe('trpc:global', late.handler, late.options);
    await realtime.settled();
    expect(late.lines).toEqual(['join 1']);
  });

  it('recovers what was missed: the join first, then the publications, in one synchronous turn', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    const turns: string[][] = [];
    client.manager.subscribe('trpc:org:1', listener.handler, {
      ...listener.options,
      onJoin: (join) => {
        listener.options.onJoin(join);
        queueMicrotask(() => turns.push(listener.take()));
      },
    });
    await realtime.advance(10);
    client.drop();
    realtime.publish('trpc:org:1', event('a'));
    realtime.publish('trpc:org:1', event('b'));
    await realtime.advance(5_000);
    expect(turns).toEqual([
      ['join 0'],
      ['loss dropped', 'join 0 recovered', 'event a @1 recovered', 'event b @2 recovered'],
    ]);
  });

  it('says unrecovered where history is gone, or the broker began a new epoch', async () => {
    const client = start({ historySize: 1 }).createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    client.drop();
    for (const name of ['a', 'b', 'c']) realtime.publish('trpc:org:1', event(name));
    await realtime.advance(5_000);
    expect(listener.take()).toEqual(['join 0', 'loss dropped', 'join 3 unrecovered']);
    realtime.broker.restart();
    await realtime.advance(5_000);
    expect(listener.take()).toEqual(['loss dropped', 'join 0 unrecovered']);
    expect(listener.joins[2]?.position?.epoch).not.toBe(listener.joins[1]?.position?.epoch);
  });

  it('recovers from `since` at the first join by a grant', async () => {
    const { manager } = start().createClient();
    const since = realtime.broker.position('trpc:org:1');
    realtime.publish('trpc:org:1', event('between render and join'));
    const listener = createRecorder();
    manager.subscribe('trpc:org:1', listener.handler, { ...listener.options, since });
    await realtime.advance(10);
    expect(listener.lines).toEqual(['join 0 recovered', 'event between render and join @1 recovered']);
  });

  it('never counts events of a former subscription of the same name', async () => {
    const { manager } = start({ latencyMs: 50 }).createClient();
    manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    const former = createRecorder();
    const end = manager.subscribe('trpc:org:1', former.handler, former.options);
    await realtime.advance(60); // asked, the reply is on its way
    end();
    await realtime.advance(1);
    const current = createRecorder();
    realtime.publish('trpc:org:1', event('before'));
    manager.subscribe('trpc:org:1', current.handler, current.options);
    await realtime.advance(30);
    expect(current.lines).toEqual([]);
    await realtime.advance(500);
    expect(former.lines).toEqual([]);
    expect(current.lines).toEqual(['join 1']);
  });

  it('delivers a duplicate once, and passes over a gap with the true offsets', async () => {
    const { manager } = start().createClient();
    const listener = createRecorder();
    manager.subscribe('trpc:global', listener.handler, listener.options);
    await realtime.settled();
    realtime.setFaults({ duplicate: 1 });
    realtime.publish('trpc:global', event('twice'));
    await realtime.settled();
    realtime.setFaults({ lose: 1 });
    realtime.publish('trpc:global', event('lost'));
    await realtime.settled();
    realtime.setFaults({});
    realtime.publish('trpc:global', event('c'));
    await realtime.settled();
    expect(listener.lines).toEqual(['join 0', 'event twice @1', 'event c @3']);
  });

  it('gives a publication without history no position', async () => {
    const { manager } = start().createClient();
    const listener = createRecorder();
    manager.subscribe('trpc:global', listener.handler);
    await realtime.settled();
    realtime.broker.publish('trpc:global', event('typing'), { skipHistory: true });
    await realtime.settled();
    expect(listener.lines).toEqual(['event typing']);
    expect(listener.publications[0]?.position).toBeNull();
  });
});

describe('handlers', () => {
  it('that throw or reject do not stop the others, and are reported', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:global', () => {
      throw new TypeError('mine');
    });
    client.manager.subscribe('trpc:global', async () => {
      throw new TypeError('mine, later');
    });
    client.manager.subscribe('trpc:global', listener.handler, {
      onJoin: () => {
        throw new TypeError('at the join');
      },
    });
    await realtime.settled();
    realtime.publish('trpc:global', event('a'));
    realtime.publish('trpc:global', event('b'));
    await realtime.settled();
    expect(listener.lines).toEqual(['event a @1', 'event b @2']);
    expect(client.errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
      ['handler_failed', 'at the join'],
      ['handler_failed', 'mine'],
      ['handler_failed', 'mine, later'],
      ['handler_failed', 'mine'],
      ['handler_failed', 'mine, later'],
    ]);
  });

  it('that an onError which throws cannot harm either', async () => {
    const client = start().createClient({
      onError: () => {
        throw new TypeError('onError');
      },
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:global', () => {
      throw new TypeError('mine');
    });
    client.manager.subscribe('trpc:global', listener.handler);
    await realtime.settled();
    const { error } = console;
    const printed: unknown[] = [];
    console.error = (...args: unknown[]) => printed.push(args);
    try {
      realtime.publish('trpc:global', event('a'));
      await realtime.settled();
    } finally {
      console.error = error;
    }
    expect(listener.lines).toEqual(['event a @1']);
    const told = expect.objectContaining({ code: 'handler_failed' });
    expect(printed).toEqual([['[@op/realtime] onError threw.', expect.any(TypeError), told]]);
  });

  it('may end another subscription, or their own, while a message is delivered', async () => {
    const { manager } = start().createClient();
    const other = createRecorder();
    const own = createRecorder();
    const endOwn = manager.subscribe('trpc:global', (message, publication) => {
      own.handler(message, publication);
      endOwn();
      endOther();
    });
    const endOther = manager.subscribe('trpc:global', other.handler);
    await realtime.settled();
    realtime.publish('trpc:global', event('a'));
    realtime.publish('trpc:global', event('b'));
    await realtime.settled();
    expect(own.lines).toEqual(['event a @1']);
    expect(other.lines).toEqual([]);
  });

  it.each([
    ['an unknown type', { type: 'from-the-future' }],
    ['a known type with a wrong field', { type: 'query-invalidation', queryKey: 'a' }],
    ['no object', 'hello'],
    ['null', null],
    ['prototype keys', JSON.parse('{"__proto__":{"type":"channel-invalidation"}}')],
  ])('skip %s, reported once per kind, and go on', async (_name, data) => {
    const client = start().createClient();
    const listener = createRecorder();
    const unknown: unknown[] = [];
    client.manager.subscribe('trpc:global', listener.handler);
    client.manager.subscribe('trpc:global', listener.handler, { onUnknown: (value) => unknown.push(value) });
    await realtime.settled();
    realtime.broker.publish('trpc:global', data);
    realtime.broker.publish('trpc:global', data);
    realtime.publish('trpc:global', event('after'));
    await realtime.settled();
    expect(listener.lines).toEqual(['event after @3', 'event after @3']);
    expect(unknown).toEqual([data, data]);
    expect(client.errors.map(({ code }) => code)).toEqual(['invalid_message']);
  });
});

describe('a refused channel', () => {
  it('is a typed error to its subscriber and does not disturb the others', async () => {
    const client = start({ mayRead: (_user, channel) => channel !== 'trpc:org:secret' }).createClient();
    const refused = createRecorder();
    const other = createRecorder();
    client.manager.subscribe('trpc:org:secret', refused.handler, refused.options);
    client.manager.subscribe('trpc:org:1', other.handler, other.options);
    await realtime.advance(10);
    realtime.publish('trpc:org:secret', event('secret'));
    realtime.publish('trpc:org:1', event('a'));
    await realtime.settled();
    expect(refused.lines).toEqual(['loss refused']);
    expect(refused.losses[0]).toMatchObject({ error: { code: 'channel_refused', channel: 'trpc:org:secret' } });
    expect(other.lines).toEqual(['join 0', 'event a @1']);
    expect(client.manager.status.state).toBe('connected');
    expect(client.errors).toEqual([]);
  });

  it('goes to onError where the subscriber has no onLoss', async () => {
    const client = start({ mayRead: () => false }).createClient();
    client.manager.subscribe('trpc:org:1', () => {});
    await realtime.advance(10);
    expect(client.errors.map(({ code }) => code)).toEqual(['channel_refused']);
  });

  it("includes another user's own channel, which the token does not list", async () => {
    const client = start().createClient({ userId: '123' });
    const own = createRecorder();
    const foreign = createRecorder();
    client.manager.subscribe('trpc:user:123', own.handler, own.options);
    client.manager.subscribe('trpc:user:124', foreign.handler, foreign.options);
    await realtime.advance(10);
    expect(own.lines).toEqual(['join 0']);
    expect(foreign.lines).toEqual(['loss refused']);
    expect(client.grantCalls).toEqual([]);
  });

  it('and, by its declaration, an own scope that travels with the token', async () => {
    const client = start().createClient({ channels: { team: { scope: 'team', delivery: 'connection' } } });
    const listener = createRecorder();
    client.manager.subscribe('trpc:team:1', listener.handler, listener.options);
    await realtime.advance(10);
    expect(listener.lines).toEqual(['loss refused']);
    expect(client.grantCalls).toEqual([]);
  });

  it('is refused without getChannelTokens, joins with a new grant, and tells late subscribers of the refusal', async () => {
    const client = start().createClient({ userId: '7', getChannelTokens: undefined });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    const late = createRecorder();
    client.manager.subscribe('trpc:org:1', late.handler, late.options);
    await realtime.settled();
    expect([listener.take(), late.take()]).toEqual([['loss refused'], ['loss refused']]);
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    await realtime.advance(10);
    expect([listener.take(), late.take()]).toEqual([['join 0'], ['join 0']]);
  });

  it('is what the broker says no to: a grant signed by another secret costs its channel only', async () => {
    const client = start().createClient({ userId: '7' });
    const stranger = createTestRealtime();
    const listener = createRecorder();
    const other = createRecorder();
    client.manager.addGrant(stranger.grant('7', 'trpc:org:1'));
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    client.manager.subscribe('trpc:org:2', other.handler, other.options);
    await realtime.advance(10);
    expect(listener.losses).toMatchObject([{ kind: 'refused', error: { brokerCode: 103 } }]);
    expect(other.lines).toEqual(['join 0']);
    expect(client.manager.status.state).toBe('connected');
  });

  it.each([
    ['another user', () => realtime.grant('8', 'trpc:org:1').token, /another user/],
    ['another channel', () => realtime.grant('7', 'trpc:org:2').token, /another channel/],
    ['nobody: it is no token', () => 'hello', /not a JWT/],
  ])(
    'never costs the connection: a grant of %s is reported and dropped before it is used',
    async (_name, make, reason) => {
      const client = start().createClient({ userId: '7' });
      const listener = createRecorder();
      client.manager.addGrant({ channel: 'trpc:org:1', token: make() });
      client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
      await realtime.advance(10);
      expect(listener.lines).toEqual(['join 0']); // asked for a good one
      expect(client.grantCalls).toEqual([['trpc:org:1']]);
      expect(client.errors.map(({ message }) => message)).toEqual([expect.stringMatching(reason)]);
      expect(client.attempts).toBe(1);
    },
  );

  it('is what getChannelTokens answers wrongly for: foreign tokens are not used', async () => {
    const client = start().createClient({
      userId: '7',
      getChannelTokens: async () => [
        realtime.grant('8', 'trpc:org:1'),
        { channel: 'trpc:org:2', token: realtime.grant('7', 'trpc:org:3').token },
      ],
    });
    const first = createRecorder();
    const second = createRecorder();
    client.manager.subscribe('trpc:org:1', first.handler, first.options);
    client.manager.subscribe('trpc:org:2', second.handler, second.options);
    await realtime.advance(10);
    expect([first.lines, second.lines]).toEqual([['loss refused'], ['loss refused']]);
    expect(client.manager.status.state).toBe('connected');
  });

  it('takes tokens by channel as well, and is not fooled by prototype keys', async () => {
    const client = start().createClient({
      userId: '7',
      getChannelTokens: async () => ({ 'trpc:org:1': realtime.grant('7', 'trpc:org:1').token, 'trpc:org:2': null }),
    });
    const lists = ['trpc:org:1', 'trpc:org:2', 'toString'].map((channel) => {
      const listener = createRecorder();
      client.manager.subscribe(channel, listener.handler, listener.options);
      return listener.lines;
    });
    await realtime.advance(10);
    expect(lists).toEqual([['join 0'], ['loss refused'], ['loss refused']]);
  });
});

describe('a grant in use', () => {
  it('is renewed when it expires, without a loss, and many in one call', async () => {
    const client = start().createClient({ grantTtlSeconds: 60 });
    const first = createRecorder();
    const second = createRecorder();
    client.manager.subscribe('trpc:org:1', first.handler, first.options);
    client.manager.subscribe('trpc:org:2', second.handler, second.options);
    await realtime.advance(61_000);
    realtime.publish('trpc:org:1', event('still here'));
    await realtime.settled();
    expect(first.lines).toEqual(['join 0', 'event still here @1']);
    expect(client.grantCalls).toEqual([
      ['trpc:org:1', 'trpc:org:2'],
      ['trpc:org:1', 'trpc:org:2'],
    ]);
  });

  it('ends as refused where the server does not renew it', async () => {
    let isMember = true;
    const client = start({ mayRead: () => isMember }).createClient({ grantTtlSeconds: 60 });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    isMember = false;
    await realtime.advance(61_000);
    expect(listener.lines).toEqual(['join 0', 'loss refused']);
    realtime.publish('trpc:org:1', event('not for you'));
    await realtime.settled();
    expect(listener.messages).toEqual([]);
  });

  it('prefers a newer one from an answer to a request', async () => {
    const client = start().createClient({ userId: '7', grantTtlSeconds: 60 });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(30_000);
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    await realtime.advance(60_000);
    expect(client.grantCalls).toHaveLength(1);
    expect(listener.lines).toEqual(['join 0']);
  });

  it('is void after the broker invalidated the state (3014): connection and channels bring new tokens', async () => {
    const client = start().createClient({ userId: '7' });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1')); // issued before the revocation: as void as the other
    realtime.broker.disconnect('7', 3014, 'state invalidated');
    await realtime.advance(5_000);
    expect(listener.lines).toEqual(['join 0', 'loss dropped', 'join 0 unrecovered']);
    expect(client.tokenCalls).toBe(2);
    expect(client.grantCalls).toHaveLength(2);
  });

  it('is taken away by the broker: unsubscribed, and back with a new grant only', async () => {
    const client = start().createClient({ userId: '7' });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    realtime.broker.unsubscribe('7', 'trpc:org:1');
    await realtime.advance(10_000);
    expect(listener.take()).toEqual(['join 0', 'loss unsubscribed']);
    expect(listener.losses[0]).toMatchObject({ brokerCode: 2000 });
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    await realtime.advance(10);
    expect(listener.take()).toEqual(['join 0']);
  });
});

describe('getChannelTokens', () => {
  it('that is slow, or refuses, does not stand in the way of a grant from an answer', async () => {
    let answer: (tokens: []) => void = () => {};
    const client = start().createClient({
      userId: '7',
      getChannelTokens: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(100);
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    await realtime.settled();
    expect(listener.lines).toEqual(['join 0']);
    answer([]);
    await realtime.settled();
    expect(listener.lines).toEqual(['join 0']);
    expect(client.grantCalls).toHaveLength(1);
  });

  it('that fails is tried again with back-off, reported once, and the channel joins at last', async () => {
    let calls = 0;
    const client = start().createClient({
      userId: '7',
      getChannelTokens: async (channels) => {
        if (++calls < 4) throw new TypeError('offline');
        return channels.map((channel) => realtime.grant('7', channel as 'trpc:org:1'));
      },
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(60_000);
    expect(calls).toBe(4);
    expect(listener.lines).toEqual(['join 0']);
    expect(client.errors.map(({ code }) => code)).toEqual(['token_unavailable']);
  });

  it('is not asked again for what nobody wants any more', async () => {
    const client = start().createClient({ getChannelTokens: () => Promise.reject(new TypeError('offline')) });
    client.manager.subscribe('trpc:global', () => {});
    const end = client.manager.subscribe('trpc:org:1', () => {});
    await realtime.advance(3_000);
    const calls = client.grantCalls.length;
    expect(calls).toBeGreaterThan(1);
    end();
    await realtime.advance(60_000);
    expect(client.grantCalls.length).toBe(calls);
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(3_000);
    expect(client.grantCalls.length).toBeGreaterThan(calls);
  });

  it('that answers for a user who logged out meanwhile is asked again for the new one', async () => {
    let userId = '7';
    const answers: (() => void)[] = [];
    const client = start().createClient({
      getToken: async () => realtime.broker.issueToken({ userId }),
      getChannelTokens: (channels) => {
        const asked = userId;
        return new Promise((resolve) => {
          answers.push(() => resolve(channels.map((channel) => realtime.grant(asked, channel as 'trpc:org:1'))));
        });
      },
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    userId = '8';
    client.manager.reconnect();
    await realtime.advance(1_000);
    answers[0]?.();
    await realtime.advance(1_000);
    answers[1]?.();
    await realtime.advance(1_000);
    expect(listener.lines).toEqual(['join 0']);
    expect(client.errors).toEqual([]);
  });

  it('that answers 403 refuses its channels', async () => {
    const client = start().createClient({
      getChannelTokens: () => Promise.reject(Object.assign(new TypeError('x'), { data: { httpStatus: 403 } })),
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(60_000);
    expect(listener.lines).toEqual(['loss refused']);
    expect(client.grantCalls).toHaveLength(1);
  });

  it('that never answers is given up at the deadline and tried again', async () => {
    let calls = 0;
    const client = start().createClient({
      userId: '7',
      tokenTimeoutMs: 1_000,
      getChannelTokens: () =>
        ++calls === 1 ? new Promise(() => {}) : Promise.resolve([realtime.grant('7', 'trpc:org:1')]),
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(5_000);
    expect(calls).toBe(2);
    expect(listener.lines).toEqual(['join 0']);
  });
});

describe('limits', () => {
  it('refuses more channels than a connection may join, with the code of the broker, and fills the room that comes free', async () => {
    const client = start().createClient({ maxChannels: 4 });
    const ends: (() => void)[] = [];
    const lists = [1, 2, 3].map((id) => {
      const listener = createRecorder();
      ends.push(client.manager.subscribe(`trpc:org:${id}`, listener.handler, listener.options));
      return listener;
    });
    await realtime.advance(10);
    // Two of four are the connection's own.
    expect(lists.map(({ lines }) => lines)).toEqual([['join 0'], ['join 0'], ['loss refused']]);
    expect(lists[2]?.losses[0]).toMatchObject({ error: { brokerCode: 106 } });
    ends[0]?.();
    await realtime.advance(10);
    expect(lists[2]?.lines).toEqual(['loss refused', 'join 0']);
  });

  it('refuses an empty or overlong name at once, before it could cost the connection', () => {
    const { manager } = start().createClient();
    expect(() => manager.subscribe('', () => {})).toThrow(expect.objectContaining({ code: 'invalid_channel' }));
    expect(() => manager.subscribe('x'.repeat(256), () => {})).toThrow(
      expect.objectContaining({ code: 'invalid_channel' }),
    );
  });
});

describe("the broker's own limit", () => {
  it('refuses what is over it with 106, and the channel joins when another is left', async () => {
    const client = start({ channelLimit: 3 }).createClient();
    const first = client.manager.subscribe('trpc:org:1', () => {});
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:2', listener.handler, listener.options);
    await realtime.advance(50);
    expect(listener.lines).toEqual(['loss refused']);
    expect(listener.losses[0]).toMatchObject({ error: { brokerCode: 106 } });
    first();
    await realtime.advance(50);
    expect(listener.lines).toEqual(['loss refused', 'join 0']);
  });

  it('counts what the token lists before the connection tells of it', async () => {
    const client = start().createClient({ maxChannels: 3 });
    const listeners = [1, 2].map((id) => {
      const listener = createRecorder();
      client.manager.addGrant(realtime.grant('user-1', `trpc:org:${id}`));
      client.manager.subscribe(`trpc:org:${id}`, listener.handler, listener.options);
      return listener;
    });
    await realtime.advance(50);
    expect(listeners.map(({ lines }) => lines)).toEqual([['join 0'], ['loss refused']]);
  });
});
