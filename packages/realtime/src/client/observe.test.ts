import { describe, expect, it } from 'vitest';
import type { ManagerEvent } from '../core/events.ts';
import { createTestRealtime } from '../testing/index.ts';

const INVALIDATE = { type: 'channel-invalidation' } as const;

async function open() {
  const realtime = createTestRealtime();
  const client = realtime.createClient({ userId: '7' });
  const events: ManagerEvent[] = [];
  const end = client.manager.observe((event) => events.push(event));
  const kinds = () => events.map((event) => ('channel' in event ? `${event.type} ${event.channel}` : event.type));
  return { realtime, ...client, events, end, kinds };
}

describe('RealtimeManager.observe', () => {
  it('tells of the connection, joins, publications and losses, each once however many listen', async () => {
    const { realtime, manager, drop, events, kinds } = await open();
    manager.subscribe('trpc:org:1', () => {});
    manager.subscribe('trpc:org:1', () => {});
    await realtime.clock.advance(100);
    expect(kinds().filter((kind) => kind === 'joined trpc:org:1')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'status').map((event) => 'state' in event && event.state)).toEqual([
      'connecting',
      'connected',
    ]);

    events.length = 0;
    const position = realtime.publish('trpc:org:1', INVALIDATE);
    await realtime.settled();
    expect(events).toEqual([
      {
        type: 'publication',
        at: expect.any(Number),
        channel: 'trpc:org:1',
        position,
        recovered: false,
        message: INVALIDATE,
        tags: {},
      },
    ]);

    events.length = 0;
    drop();
    await realtime.settled();
    expect(events.find(({ type }) => type === 'status')).toMatchObject({ state: 'reconnecting', code: 'disconnected' });
    expect(events.find((event) => event.type === 'lost' && event.channel === 'trpc:org:1')).toMatchObject({
      kind: 'dropped',
      brokerCode: null,
    });
    realtime.dispose();
  });

  it('tells of a channel that is refused, and why', async () => {
    const realtime = createTestRealtime();
    const { manager } = realtime.createClient({ userId: '7', getChannelTokens: undefined });
    const events: ManagerEvent[] = [];
    manager.observe((event) => events.push(event));
    manager.subscribe('trpc:org:1', () => {}, { onLoss: () => {} });
    await realtime.settled();
    expect(events.find(({ type }) => type === 'lost')).toMatchObject({
      channel: 'trpc:org:1',
      kind: 'refused',
      reason: expect.stringContaining('grant'),
    });
    realtime.dispose();
  });

  it('tells nothing after its end, and of the end of the manager', async () => {
    const { realtime, manager, events, end } = await open();
    const others: ManagerEvent[] = [];
    manager.observe((event) => others.push(event));
    manager.subscribe('trpc:org:1', () => {});
    await realtime.settled();
    end();
    end();
    events.length = 0;
    realtime.publish('trpc:org:1', INVALIDATE);
    await realtime.settled();
    manager.dispose();
    expect(events).toEqual([]);
    expect(others.findLast(({ type }) => type === 'status')).toMatchObject({ state: 'disposed' });
    realtime.dispose();
  });
});
