import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAppOn } from '../../test/bound-app.ts';
import { touchedChannel, watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import { createTestRealtime, type TestClientOptions, type TestRealtime } from '../testing/index.ts';

/** The binding on a real manager, over a broker in memory. */

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };

let realtime: TestRealtime;
let close: (() => void)[];
beforeEach(() => {
  realtime = createTestRealtime();
  close = [];
});
afterEach(() => {
  for (const end of close) end();
  realtime.dispose();
});

function open(options: TestClientOptions = {}) {
  const client = realtime.createClient({ userId: '7', getChannelTokens: undefined, ...options });
  const app = openAppOn(client.manager, { clock: realtime.clock });
  close.push(app.close);
  const watch = (...channels: ChannelName[]) => {
    app.backend.meta.watch = () =>
      channels.map((channel) =>
        watched(channel, realtime.broker.position(channel), realtime.grant('7', channel).token),
      );
  };
  watch(ORG);
  const item = (id = '1') => app.trpc.item.queryOptions({ id }, fresh);
  return {
    ...app,
    realtimeClient: client,
    watch,
    item,
    runs: () => app.backend.runs.get('item') ?? 0,
    status: (id = '1') => app.binding.status(item(id).queryKey).detail,
  };
}

describe('a query and a real manager', () => {
  it('are live by the grant in the answer, and nobody else is asked', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.status()).toBe('live');
    expect(app.realtimeClient.grantCalls).toEqual([]);
    expect(realtime.broker.channelsOf('7')).toContain(ORG);
    realtime.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(app.runs()).toBe(2);
    expect(app.status()).toBe('live');
  });

  it('have no echo to fetch for', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    app.backend.meta.touch = () => [touchedChannel(ORG, realtime.publish(ORG, INVALIDATE))];
    await app.client.save.mutate({ id: '1', value: { id: '1', saved: true } });
    await app.pass(10_000);
    expect(app.runs()).toBe(2);
    expect(app.queryClient.getQueryData<unknown>(app.item().queryKey)).toEqual({ id: '1', saved: true });
  });

  it('share a channel of the connection token', async () => {
    const app = open();
    app.backend.meta.watch = () => [watched('trpc:user:7', realtime.broker.position('trpc:user:7'))];
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.status()).toBe('live');
    realtime.publish('trpc:user:7', INVALIDATE);
    await app.pass(1_000);
    expect(app.runs()).toBe(2);
  });

  it('fetch once after a broker that lost its memory, and not at all after a short cut', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    app.realtimeClient.drop();
    await app.pass(5_000);
    expect(app.status()).toBe('live');
    expect(app.runs()).toBe(1);
    realtime.broker.restart();
    await app.pass(30_000);
    expect(app.status()).toBe('live');
    expect(app.runs()).toBe(2);
  });

  it('fetch once for what was published while the connection was cut', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    app.realtimeClient.drop();
    realtime.publish(ORG, { type: 'event', name: 'x', data: 1 });
    realtime.publish(ORG, INVALIDATE);
    realtime.publish(ORG, INVALIDATE);
    await app.pass(10_000);
    expect(app.runs()).toBe(2);
    expect(app.status()).toBe('live');
  });

  it('keep the data and say so where the channel is taken away, and come back with a new grant', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    app.backend.meta.watch = () => [watched(ORG, realtime.broker.position(ORG))];
    realtime.broker.expireTokens();
    realtime.broker.unsubscribe('7', ORG);
    await app.pass(2_000);
    expect(app.status()).toBe('uncovered');
    expect(app.runs()).toBe(1);
    app.watch(ORG);
    await app.queryClient.refetchQueries({ queryKey: app.item().queryKey });
    await app.pass(1_000);
    expect(app.status()).toBe('live');
  });

  it('make room for what is used where the connection is full', async () => {
    // The connection's own two channels count as well.
    const app = open({ maxChannels: 4 });
    const channelOf = (id: string): ChannelName => `trpc:item:${id}`;
    app.backend.meta.watch = (_, input) => {
      const channel = channelOf((input as { id: string }).id);
      return [watched(channel, realtime.broker.position(channel), realtime.grant('7', channel).token)];
    };
    const shown = ['1', '2'].map((id) => app.observe(app.item(id)));
    await app.pass(1_000);
    expect([app.status('1'), app.status('2')]).toEqual(['live', 'live']);
    shown[0]?.end();
    app.observe(app.item('3'));
    await app.pass(1_000);
    expect(app.status('3')).toBe('live');
    expect(realtime.broker.channelsOf('7')).not.toContain(channelOf('1'));
    expect(app.queryClient.getQueryState(app.item('1').queryKey)?.isInvalidated).toBe(true);
    // Nobody has gone now: the next one waits, and comes in when there is room.
    app.observe(app.item('4'));
    await app.pass(1_000);
    expect(app.status('4')).toBe('uncovered');
    shown[1]?.end();
    await app.pass(31_000);
    await app.pass(1_000);
    expect(app.status('4')).toBe('live');
  });

  it('read messages of subscriptions made by hand', async () => {
    const app = open();
    app.backend.meta.watch = () => [];
    app.observe(app.item());
    app.realtimeClient.manager.subscribe('trpc:user:7', () => {});
    await app.pass(1_000);
    realtime.publish('trpc:user:7', { type: 'query-invalidation', queryKey: ['item'] });
    await app.pass(1_000);
    expect(app.runs()).toBe(2);
  });

  it('leave the connection when the last query has gone', async () => {
    const app = open();
    const { end } = app.observe(app.item());
    await app.pass(1_000);
    end();
    await app.pass(31_000);
    await app.pass(10_000);
    expect(app.realtimeClient.manager.status.state).toBe('idle');
  });

  it('survive the manager', async () => {
    const app = open();
    app.observe(app.item());
    await app.pass(1_000);
    app.realtimeClient.manager.dispose();
    app.watch('trpc:org:2');
    await app.queryClient.refetchQueries({ queryKey: app.item().queryKey });
    await app.pass(1_000);
    expect(app.status()).toBe('uncovered');
    expect(app.queryClient.getQueryData<unknown>(app.item().queryKey)).toEqual({ id: '1' });
  });
});
