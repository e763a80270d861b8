import { afterEach, describe, expect, it } from 'vitest';
import { createRecorder, createTestRealtime, type TestClientOptions, type TestRealtime } from '../testing/index.ts';
import type { ChannelEvents, Transport, TransportEvents } from './transport.ts';

/**
 * A transport that a test plays by hand, for what no well-behaved one does: it speaks after it was told to stop, and it breaks off.
 */
class Script {
  readonly calls: string[] = [];
  readonly joins: { readonly channel: string; readonly token: string; readonly events: ChannelEvents }[] = [];
  events: TransportEvents = undefined as unknown as TransportEvents;
  readonly factory = (_config: unknown, events: TransportEvents): Transport => {
    this.events = events;
    this.calls.push('create');
    const call = (name: string) => () => void this.calls.push(name);
    const never = () => new Promise<never>(() => {});
    return {
      connect: call('connect'),
      disconnect: call('disconnect'),
      forgetToken: call('forgetToken'),
      dispose: call('dispose'),
      networkChanged: () => {},
      probe: never,
      publish: never,
      rpc: never,
      presence: never,
      presenceStats: never,
      history: never,
      join: (channel, { token }, channelEvents) => {
        this.joins.push({ channel, token, events: channelEvents });
        return call(`leave ${channel}`);
      },
    };
  };
}

let realtime: TestRealtime;
afterEach(() => realtime.dispose());
async function open(options: TestClientOptions = {}) {
  realtime = createTestRealtime();
  const script = new Script();
  const client = realtime.createClient({ userId: '7', ...options, transport: script.factory });
  const listener = createRecorder();
  client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
  await realtime.settled();
  await script.events.getToken();
  script.events.connected();
  await realtime.advance(10);
  return { script, client, listener };
}

const join = { position: { epoch: 'e', offset: 0 }, recovered: false, wasRecovering: false };
const publication = (offset: number) => ({
  data: { type: 'event', name: 'x', data: null },
  offset,
  recovered: false,
  tags: {},
});

describe('the client does not rely on its transport for', () => {
  it('silence after a leave: what a former subscription says never counts', async () => {
    const { script, client, listener } = await open();
    const former = createRecorder();
    const end = client.manager.subscribe('trpc:org:2', former.handler, former.options);
    await realtime.advance(10);
    end();
    await realtime.advance(10);
    const current = createRecorder();
    client.manager.subscribe('trpc:org:2', current.handler, current.options);
    await realtime.advance(10);
    const [old, now] = script.joins.filter(({ channel }) => channel === 'trpc:org:2');
    old?.events.joined(join);
    old?.events.published(publication(1));
    old?.events.dropped();
    old?.events.ended(103, 'permission denied');
    expect(current.lines).toEqual([]);
    now?.events.joined(join);
    old?.events.published(publication(1));
    old?.events.ended(2000, 'server unsubscribe');
    now?.events.published(publication(1));
    expect(current.lines).toEqual(['join 0', 'event x @1']);
    expect(former.lines).toEqual([]);
    expect(listener.losses).toEqual([]);
  });

  it('silence after an end: a subscription that a new grant replaced never counts', async () => {
    const { script, client, listener } = await open();
    script.joins[0]?.events.joined(join);
    script.joins[0]?.events.ended(2000, 'server unsubscribe');
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    expect(script.joins).toHaveLength(2);
    script.joins[0]?.events.joined(join);
    script.joins[0]?.events.ended(2000, 'server unsubscribe');
    expect(listener.take()).toEqual(['join 0', 'loss unsubscribed']);
    script.joins[1]?.events.joined(join);
    script.joins[0]?.events.dropped();
    script.joins[0]?.events.published(publication(1));
    expect(listener.take()).toEqual(['join 0']);
  });

  it('the order of a join and a late subscriber: no publication before its own join', async () => {
    const { script, client } = await open();
    script.joins[0]?.events.joined(join);
    const late = createRecorder();
    client.manager.subscribe('trpc:org:1', late.handler, late.options);
    script.joins[0]?.events.published(publication(1)); // in the same turn
    await realtime.settled();
    expect(late.lines).toEqual(['join 1']);
  });

  it('time between a late subscriber and a drop: who was not told of the join is not told of the drop', async () => {
    const { script, client } = await open();
    script.joins[0]?.events.joined(join);
    const late = createRecorder();
    client.manager.subscribe('trpc:org:1', late.handler, late.options);
    script.joins[0]?.events.dropped(); // in the same turn
    await realtime.settled();
    expect(late.lines).toEqual([]);
    script.joins[0]?.events.joined({ ...join, recovered: true, wasRecovering: true });
    expect(late.lines).toEqual(['join 0 recovered']);
  });

  it('silence after it was thrown away', async () => {
    let userId = '7';
    const { script, client } = await open({
      getToken: async () => realtime.broker.issueToken({ userId }),
    });
    const former = script.events;
    userId = '8';
    void former.getToken();
    await realtime.settled();
    expect(script.calls).toEqual([
      'create',
      'connect',
      expect.stringMatching(/^leave/),
      'dispose',
      'create',
      'connect',
    ]);
    former.connected();
    former.disconnected(3500, 'invalid token');
    expect(client.manager.status.state).toBe('reconnecting');
  });

  it('never asking for the token of another user twice', async () => {
    let userId = '7';
    const { script, client } = await open({ getToken: async () => realtime.broker.issueToken({ userId }) });
    userId = '8';
    await script.events.getToken();
    await realtime.settled();
    await script.events.getToken();
    expect(client.tokenCalls).toBe(2);
    await script.events.getToken();
    expect(client.tokenCalls).toBe(3);
  });
});

describe('after the broker closed the connection for good', () => {
  it('reconnect() uses no grant again: one of them may have been the reason', async () => {
    const { script, client, listener } = await open();
    const [first] = script.joins;
    script.events.disconnected(3500, 'invalid token');
    expect(client.manager.status.state).toBe('unauthorized');
    client.manager.reconnect();
    expect(script.calls.slice(2)).toEqual(['leave trpc:org:1', 'forgetToken', 'disconnect', 'connect']);
    await script.events.getToken();
    await realtime.advance(10);
    expect(script.joins).toHaveLength(2);
    expect(script.joins[1]?.token).not.toBe(first?.token);
    expect(listener.losses).toEqual([]);
  });
});

describe('after a login as another user while nothing is connected', () => {
  it('the subscriptions of the former one are left before the token is used', async () => {
    let userId = '7';
    const { script } = await open({
      getToken: async () => realtime.broker.issueToken({ userId }),
      getChannelTokens: async (channels) => channels.map((channel) => realtime.grant(userId, channel as 'trpc:org:1')),
    });
    script.events.connecting(1, 'transport closed');
    userId = '8';
    await script.events.getToken();
    expect(script.calls.at(-1)).toBe('leave trpc:org:1');
    script.events.connected();
    await realtime.advance(10);
    expect(script.joins).toHaveLength(2);
  });
});

describe('while the connection is away', () => {
  it('nothing is refused that the next connection may carry', async () => {
    const { script, client } = await open({ getChannelTokens: undefined, connectionChannels: ['trpc:org:2'] });
    script.events.connecting(1, 'transport closed');
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:2', listener.handler, listener.options);
    await realtime.advance(1_000);
    expect(listener.lines).toEqual([]);
    script.events.connected();
    script.events.connectionChannel('trpc:org:2').joined(join);
    await realtime.settled();
    expect(listener.lines).toEqual(['join 0']);
  });

  it('the time until `polling` counts anew for each loss', async () => {
    const { script, client } = await open({ pollingAfterMs: 30_000 });
    script.events.connecting(1, 'transport closed');
    await realtime.advance(29_000);
    script.events.connected();
    script.events.connecting(1, 'transport closed');
    await realtime.advance(29_000);
    expect(client.manager.status.state).toBe('reconnecting');
    await realtime.advance(1_000);
    expect(client.manager.status.state).toBe('polling');
  });

  it('a token that lists a channel which the broker does not join is a refusal, not silence', async () => {
    const { script, client } = await open({ connectionChannels: ['trpc:org:2'] });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:2', listener.handler, listener.options);
    await realtime.settled();
    script.events.connecting(1, 'transport closed');
    script.events.connected();
    await realtime.settled();
    expect(listener.lines).toEqual(['loss refused']);
  });
});

describe('an opaque connection token', () => {
  it('decides nothing: what the connection carries is taken from it, and only the rest is asked for', async () => {
    realtime = createTestRealtime();
    const script = new Script();
    const client = realtime.createClient({ userId: '7', getToken: async () => 'opaque', transport: script.factory });
    const carried = createRecorder();
    const asked = createRecorder();
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    client.manager.subscribe('trpc:org:1', carried.handler, carried.options);
    client.manager.subscribe('trpc:org:2', asked.handler, asked.options);
    await realtime.settled();
    await script.events.getToken();
    await realtime.advance(100);
    expect(client.grantCalls).toEqual([]);
    const connect = () => {
      script.events.connected();
      script.events.connectionChannel('trpc:org:1').joined(join);
    };
    connect();
    await realtime.advance(10);
    expect(script.joins.map(({ channel }) => channel)).toEqual(['trpc:org:2']);
    script.events.connectionChannel('trpc:org:1').dropped();
    script.events.connecting(1, 'transport closed');
    client.manager.addGrant(realtime.grant('7', 'trpc:org:1'));
    await realtime.advance(10);
    connect();
    await realtime.advance(10);
    expect(script.joins).toHaveLength(1);
    expect(carried.lines).toEqual(['join 0', 'loss dropped', 'join 0']);
  });
});
