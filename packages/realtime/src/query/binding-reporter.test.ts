import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type App, openApp, openAppOn, turn, watchEverything } from '../../test/bound-app.ts';
import { touchedChannel, watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { BindingEvent, QueriesStale, RealtimeEvent, RefetchEnded, RefetchStarted } from '../core/events.ts';
import type { Message } from '../core/message.ts';
import { createTestRealtime } from '../testing/index.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };

let app: App;
let events: BindingEvent[];
beforeEach(() => {
  app = openApp();
  watchEverything(app, ORG);
  events = [];
  app.binding.observe((event) => events.push(event));
});
afterEach(() => app.close());

const item = (id = '1') => app.trpc.item.queryOptions({ id }, fresh);
const types = () => events.map(({ type }) => type);
const last = <T extends BindingEvent['type']>(type: T) =>
  events.findLast((event): event is Extract<BindingEvent, { type: T }> => event.type === type)!;

async function live(id = '1'): Promise<void> {
  app.observe(item(id));
  await app.pass(1_000);
  events.length = 0;
}

describe('a binding tells', () => {
  it('of the first fetch, that nothing had asked for it', async () => {
    await live('1'); // the first answer of all loads the binding, too late to be told of
    app.observe(item('2'));
    await app.pass(1_000);
    expect(last('refetch-started')).toMatchObject({ reason: 'app', causes: [], isFirst: true });
    expect(last('refetch-ended')).toMatchObject({ outcome: 'changed', freshAfterMs: null });
  });

  it('of a publication: stale, refetched because of it, and changed or not', async () => {
    await live();
    app.backend.items.set('1', { id: '1', title: 'new' });
    const position = app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(types()).toEqual(['stale', 'refetch-started', 'refetch-ended']);
    const [stale, started, ended] = events as [QueriesStale, RefetchStarted, RefetchEnded];
    expect(stale).toMatchObject({
      count: 1,
      cause: { type: 'publication', channel: ORG, position, message: INVALIDATE },
    });
    expect(stale.queries).toEqual([{ hash: expect.stringContaining('item'), key: item().queryKey, isActive: true }]);
    expect(started).toMatchObject({ reason: 'stale', isFirst: false });
    expect(started.causes).toEqual([stale.cause]);
    expect(started.causes[0]).toBe(stale.cause);
    expect(ended.fetch).toBe(started);
    expect(ended).toMatchObject({ outcome: 'changed', freshAfterMs: ended.at - stale.at });
    expect(ended.freshAfterMs).toBeGreaterThanOrEqual(50);

    events.length = 0;
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(last('refetch-ended')).toMatchObject({ outcome: 'unchanged' });
  });

  it('of several publications that one fetch answers', async () => {
    await live();
    app.manager.publish(ORG, INVALIDATE);
    await turn(2);
    app.manager.publish(ORG, { type: 'query-invalidation', queryKey: ['item'] });
    await app.pass(1_000);
    expect(types()).toEqual(['stale', 'stale', 'refetch-started', 'refetch-ended']);
    expect(last('refetch-started').causes.map((cause) => 'message' in cause && cause.message.type)).toEqual([
      'channel-invalidation',
      'query-invalidation',
    ]);
  });

  it('nothing of publications that concern no query', async () => {
    await live();
    app.manager.publish(ORG, { type: 'event', name: 'typing', data: 1 });
    await app.pass(1_000);
    expect(events).toEqual([]);
  });

  it('of an own mutation, whose echo is no news', async () => {
    await live();
    app.backend.meta.touch = () => [touchedChannel(ORG, app.manager.publish(ORG, INVALIDATE))];
    // The echo comes after the answer.
    app.manager.drop();
    events.length = 0;
    await app.client.save.mutate({ id: '1', value: { id: '1', saved: true } });
    await app.pass(1_000);
    const { mutation } = last('mutation-started');
    expect(mutation).toEqual({ path: 'save' });
    expect(last('mutation-answered')).toMatchObject({ mutation, touched: [{ channel: ORG, message: INVALIDATE }] });
    expect(last('mutation-answered').mutation).toBe(mutation);
    expect(last('mutation-ended')).toMatchObject({ failed: false });
    expect(last('mutation-ended').mutation).toBe(mutation);
    expect(last('stale').cause).toEqual({ type: 'mutation', mutation });
    expect(last('refetch-started').causes).toEqual([{ type: 'mutation', mutation }]);
    expect(events.filter(({ type }) => type === 'refetch-started')).toHaveLength(1);
  });

  it('of a mutation that failed', async () => {
    await live();
    app.backend.before = () => Promise.reject(new Error('no'));
    await app.client.save.mutate({ id: '1', value: null }).catch(() => {});
    await app.pass(10);
    expect(types()).toEqual(['mutation-started', 'mutation-ended']);
    expect(last('mutation-ended').failed).toBe(true);
  });

  it('of a gap, which makes everything on the channel stale', async () => {
    await live();
    app.manager.drop();
    const from = app.manager.top(ORG);
    app.manager.publish(ORG, { type: 'event', name: 'x', data: 1 });
    app.manager.rejoin('unrecovered');
    const to = app.manager.top(ORG);
    await app.pass(1_000);
    expect(types()).toEqual(['gap', 'stale', 'refetch-started', 'refetch-ended']);
    expect(last('gap')).toMatchObject({ channel: ORG, from, to });
    expect(last('stale').cause).toEqual({ type: 'gap', channel: ORG, from, to });
  });

  it('of queries that nobody looks at: marked, and fetched when they are used, with the cause of then', async () => {
    const { end } = app.observe(item());
    await app.pass(1_000);
    end();
    events.length = 0;
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(types()).toEqual(['stale']);
    expect(last('stale').queries[0]?.isActive).toBe(false);
    app.observe(item());
    await app.pass(1_000);
    expect(last('refetch-started')).toMatchObject({ reason: 'app', causes: [{ type: 'publication' }] });
    expect(last('refetch-ended').freshAfterMs).toBeGreaterThanOrEqual(1_000);
  });

  it('of a fetch that failed, and what made it necessary once more', async () => {
    await live();
    let isDown = true;
    app.backend.before = () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve());
    app.queryClient.setDefaultOptions({ queries: { retry: false } });
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    expect(last('refetch-ended')).toMatchObject({ outcome: 'failed', freshAfterMs: null });
    isDown = false;
    await app.pass(20_000);
    expect(last('refetch-started').causes).toHaveLength(1);
    expect(last('refetch-ended')).toMatchObject({ outcome: 'unchanged' });
    expect(last('refetch-ended').freshAfterMs).toBeGreaterThan(100);
  });

  it('of a fetch that another one replaced, or that left with its query', async () => {
    await live();
    let release = () => {};
    app.backend.before = () => new Promise<void>((resolve) => (release = resolve));
    const { queryKey } = item();
    void app.queryClient.refetchQueries({ queryKey });
    await turn(3);
    void app.queryClient.refetchQueries({ queryKey });
    await turn(3);
    expect(types()).toEqual(['refetch-started', 'refetch-ended', 'refetch-started']);
    expect(last('refetch-ended').outcome).toBe('cancelled');
    app.queryClient.removeQueries({ queryKey });
    expect(types().at(-1)).toBe('refetch-ended');
    expect(last('refetch-ended').fetch).toBe(last('refetch-started'));
    release();
  });

  it('of news that came while the answer was on its way', async () => {
    await live('1');
    let release = () => {};
    app.backend.before = () => new Promise<void>((resolve) => (release = resolve));
    app.backend.meta.watch = () => [watched(ORG, { ...app.manager.top(ORG), offset: 0 })];
    app.observe(item('2'));
    await turn(5);
    app.manager.publish(ORG, { type: 'query-invalidation', queryKey: [['item'], { input: { id: '2' } }] });
    app.backend.before = () => Promise.resolve();
    release();
    await app.pass(1_000);
    expect(events.find(({ type }) => type === 'stale')).toMatchObject({ cause: { type: 'earlier' }, count: 1 });
  });

  it('many queries in one event, of which it names the first hundred', async () => {
    for (let id = 0; id < 250; id++) app.observe(item(`${id}`));
    await app.pass(1_000);
    events.length = 0;
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(events.filter(({ type }) => type === 'stale')).toHaveLength(1);
    expect(last('stale').count).toBe(250);
    expect(last('stale').queries).toHaveLength(100);
  });

  it('nothing any more after the end, and everybody also where one throws', async () => {
    const told: string[] = [];
    const faults: unknown[] = [];
    const { error } = console;
    console.error = (...args) => faults.push(args);
    const end = app.binding.observe(() => {
      throw new Error('observer');
    });
    const endSecond = app.binding.observe(({ type }) => told.push(type));
    await live();
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    console.error = error;
    expect(told.slice(-3)).toEqual(['stale', 'refetch-started', 'refetch-ended']);
    expect(faults.length).toBe(told.length);
    end();
    endSecond();
    endSecond();
    told.length = 0;
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(told).toEqual([]);
    expect(events.length).toBe(6);
  });

  it('nothing wrong to one who comes between a start and its end', async () => {
    await live();
    const late: BindingEvent[] = [];
    app.manager.publish(ORG, INVALIDATE);
    await turn(2);
    app.binding.observe((event) => late.push(event));
    await app.pass(1_000);
    expect(late.map(({ type }) => type)).toEqual(['refetch-started', 'refetch-ended']);
  });
});

describe('a manager and a binding together', () => {
  it('join a mutation, its publication and the fetch in another tab by position and message', async () => {
    const realtime = createTestRealtime();
    const tab = (userId: string) => {
      const client = realtime.createClient({ userId, getChannelTokens: undefined });
      const opened = openAppOn(client.manager, { clock: realtime.clock });
      opened.backend.meta.watch = () => [
        watched(ORG, realtime.broker.position(ORG), realtime.grant(userId, ORG).token),
      ];
      const log: RealtimeEvent[] = [];
      client.manager.observe((event) => log.push(event));
      opened.binding.observe((event) => log.push(event));
      opened.observe(opened.trpc.item.queryOptions({ id: '1' }, fresh));
      return { ...opened, log };
    };
    const [one, other] = [tab('7'), tab('8')];
    await one.pass(1_000);
    await other.pass(1_000);
    one.backend.meta.touch = () => [touchedChannel(ORG, realtime.publish(ORG, INVALIDATE))];
    await one.client.save.mutate({ id: '1', value: { id: '1', saved: true } });
    await one.pass(1_000);
    await other.pass(1_000);

    const find = <T extends RealtimeEvent['type']>(log: RealtimeEvent[], type: T) =>
      log.findLast((event): event is Extract<RealtimeEvent, { type: T }> => event.type === type)!;
    const { touched } = find(one.log, 'mutation-answered');
    for (const { log } of [one, other]) {
      const arrived = find(log, 'publication');
      expect(arrived.position).toEqual(touched[0]?.position);
      expect(arrived.channel).toBe(ORG);
    }
    const [cause] = find(other.log, 'refetch-started').causes;
    expect(cause?.type).toBe('publication');
    expect(cause?.type === 'publication' && cause.message).toBe(find(other.log, 'publication').message);
    expect(find(other.log, 'joined')).toMatchObject({ channel: ORG, wasRecovering: true });
    expect(other.log.filter(({ type }) => type === 'status').map((event) => 'state' in event && event.state)).toEqual([
      'connecting',
      'connected',
    ]);
    one.close();
    other.close();
    realtime.dispose();
  });
});
