import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAppOn } from '../../test/bound-app.ts';
import { touchedChannel, watched } from '../../test/trpc-backend.ts';
import { RealtimeManager } from '../client/realtime-manager.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import { listSources } from '../core/sources.ts';
import { createTestRealtime, type TestRealtime } from '../testing/index.ts';
import { eventsToJson } from './events-to-json.ts';
import { Recorder } from './recorder.ts';
import { isWasted, type Story, toTimeline } from './timeline.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };

let realtime: TestRealtime;
let ends: (() => void)[];
beforeEach(() => {
  realtime = createTestRealtime();
  ends = [() => realtime.dispose()];
});
afterEach(() => {
  for (const end of ends.reverse()) end();
  expect(listSources()).toEqual([]);
});

function openTab(userId: string) {
  const { manager } = realtime.createClient({ userId, getChannelTokens: undefined });
  const app = openAppOn(manager, { clock: realtime.clock });
  app.backend.meta.watch = () => [watched(ORG, realtime.broker.position(ORG), realtime.grant(userId, ORG).token)];
  ends.push(() => manager.dispose(), app.close);
  return { ...app, item: (id = '1') => app.trpc.item.queryOptions({ id }, fresh) };
}

function record(options?: ConstructorParameters<typeof Recorder>[0]): Recorder {
  const recorder = new Recorder(options);
  ends.push(recorder.hold());
  return recorder;
}

/** A tab that shows an item, and has come to rest. */
async function openShowing(userId: string) {
  const tab = openTab(userId);
  tab.observe(tab.item());
  await tab.pass(1_000);
  return tab;
}

/** The same, and a recorder that is told of what happens from now on. */
async function openRecorded() {
  const recorder = record();
  const tab = await openShowing('7');
  recorder.clear();
  return { recorder, tab };
}

const news = (recorder: Recorder): Story[] =>
  toTimeline(recorder.events).stories.filter(({ kind }) => kind !== 'connection' && kind !== 'fetch');
const types = ({ steps }: Story) => steps.map(({ event }) => event.type);

describe('a recorder', () => {
  it('finds managers and bindings of the page whenever it comes, and when they come', async () => {
    const early = record();
    const tab = await openShowing('7');
    const late = record();
    for (const recorder of [early, late]) {
      expect(recorder.managers()).toHaveLength(1);
      expect(recorder.managers()[0]?.source?.inspect()).toMatchObject({ userId: '7', maxChannels: 128 });
      expect(recorder.bindings()).toHaveLength(1);
    }
    expect(early.events.length).toBeGreaterThan(0);
    expect(late.events).toEqual([]);
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    expect(late.events.map(({ event }) => event.type)).toEqual([
      'publication',
      'stale',
      'refetch-started',
      'refetch-ended',
    ]);
  });

  it('has nothing in a page without a manager, and finds the default one before it ever connected', () => {
    const recorder = record();
    expect(recorder.managers()).toEqual([]);
    const manager = RealtimeManager.initialize({ wsUrl: 'ws://127.0.0.1:1', getToken: async () => null });
    recorder.lookAround();
    expect(recorder.managers()).toMatchObject([{ label: 'connection 1', source: null, status: { state: 'idle' } }]);
    manager.dispose();
    recorder.lookAround();
    expect(recorder.managers()).toMatchObject([{ label: 'connection 1', source: null, status: { state: 'disposed' } }]);
    expect(recorder.events.map(({ event }) => event.type)).toEqual(['status']);
  });

  it('is told of a manager that is not the default one', () => {
    const recorder = record();
    const manager = new RealtimeManager({ wsUrl: 'ws://127.0.0.1:1', getToken: async () => null });
    recorder.introduce(manager);
    recorder.introduce(manager);
    expect(recorder.managers()).toHaveLength(1);
    manager.dispose();
    recorder.lookAround();
    expect(recorder.managers().map(({ status }) => status.state)).toEqual(['disposed']);
  });

  it('keeps several managers and query clients apart', async () => {
    const recorder = record();
    const [one, other] = [openTab('7'), openTab('8')];
    for (const tab of [one, other]) {
      tab.observe(tab.item());
      await tab.pass(1_000);
    }
    expect(recorder.managers().map(({ label }) => label)).toEqual(['connection 1', 'connection 2']);
    expect(recorder.bindings().map(({ label }) => label)).toEqual(['queries 1', 'queries 2']);
    recorder.clear();
    realtime.publish(ORG, INVALIDATE);
    await one.pass(1_000);
    await other.pass(1_000);
    const sources = recorder.events.flatMap(({ event, source }) => (event.type === 'refetch-ended' ? [source] : []));
    expect(sources.sort()).toEqual(['queries 1', 'queries 2']);
  });

  it('keeps the last events and says how many left', async () => {
    const recorder = record({ maxEvents: 40 });
    const tab = await openShowing('7');
    for (let count = 0; count < 60; count++) realtime.publish(ORG, { type: 'event', name: 'tick', data: count });
    await tab.pass(1_000);
    expect(recorder.events.length).toBeLessThanOrEqual(50);
    expect(recorder.events.length).toBeGreaterThanOrEqual(40);
    expect(recorder.events[0]?.id).toBe(recorder.dropped + 1);
    expect(recorder.events.at(-1)?.event).toMatchObject({ type: 'publication', message: { data: 59 } });
  });

  it('records while it is held, by anybody, and goes on where it was held again', async () => {
    const recorder = new Recorder();
    const endFirst = recorder.hold();
    const endSecond = recorder.hold();
    endFirst();
    endFirst();
    const tab = await openShowing('7');
    const count = recorder.events.length;
    expect(count).toBeGreaterThan(0);
    endSecond();
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    expect(recorder.events).toHaveLength(count);
    ends.push(recorder.hold());
    expect(recorder.managers().map(({ label }) => label)).toEqual(['connection 1']);
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    expect(recorder.events.length).toBe(count + 4);
  });
});

describe('a timeline', () => {
  it('tells an own mutation, its echo, what it made stale and what came of it as one story', async () => {
    const { recorder, tab } = await openRecorded();
    tab.backend.meta.touch = () => [touchedChannel(ORG, realtime.publish(ORG, INVALIDATE))];
    await tab.client.save.mutate({ id: '1', value: { id: '1', saved: true } });
    await tab.pass(1_000);
    const [story, ...others] = news(recorder);
    expect(others).toEqual([]);
    expect(story).toMatchObject({ kind: 'mutation', name: 'save', hasFailed: false, staleCount: 1 });
    expect(new Set(types(story!))).toEqual(
      new Set([
        'mutation-started',
        'mutation-answered',
        'mutation-ended',
        'publication',
        'stale',
        'refetch-started',
        'refetch-ended',
      ]),
    );
    expect(story?.fetches).toMatchObject([{ ended: { outcome: 'changed' }, isShared: false }]);
  });

  it('tells a mutation once where several query clients of the tab are bound', async () => {
    const recorder = record();
    const tab = openTab('7');
    const second = openAppOn(tab.manager, { clock: realtime.clock, answers: tab.answers });
    second.backend.meta.watch = tab.backend.meta.watch;
    ends.push(second.close);
    for (const app of [tab, second]) {
      app.observe(tab.item());
      await app.pass(1_000);
    }
    expect(recorder.bindings()).toHaveLength(2);
    recorder.clear();
    tab.backend.meta.touch = () => [touchedChannel(ORG, realtime.publish(ORG, INVALIDATE))];
    await tab.client.save.mutate({ id: '1', value: null });
    await tab.pass(1_000);
    await second.pass(1_000);
    const stories = news(recorder);
    expect(stories).toHaveLength(1);
    expect(types(stories[0]!).filter((type) => type.startsWith('mutation'))).toEqual([
      'mutation-started',
      'mutation-answered',
      'mutation-ended',
    ]);
    expect(stories[0]?.fetches).toHaveLength(2);
  });

  it("tells another tab's change from its publication on, and marks what was fetched in vain", async () => {
    const { recorder, tab } = await openRecorded();
    tab.backend.items.set('1', { id: '1', title: 'new' });
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    const { stories, totals } = toTimeline(recorder.events);
    expect(stories.map(({ kind, fetches }) => [kind, fetches.map(({ ended }) => isWasted(ended))])).toEqual([
      ['publication', [false]],
      ['publication', [true]],
    ]);
    expect(totals).toEqual({ publications: 2, mutations: 0, refetches: 2, changed: 1, wasted: 1, failed: 0 });
  });

  it('counts a fetch that answers two publications in the first story', async () => {
    const { recorder, tab } = await openRecorded();
    realtime.publish(ORG, INVALIDATE);
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    expect(
      news(recorder).map(({ fetches }) => fetches.map(({ isShared, ended }) => [isShared, ended?.outcome])),
    ).toEqual([[[false, 'unchanged']], [[true, 'unchanged']]]);
    expect(toTimeline(recorder.events).totals.wasted).toBe(1);
  });

  it('never calls the fetches of the app wasted', async () => {
    const { recorder, tab } = await openRecorded();
    await tab.queryClient.refetchQueries({ queryKey: tab.item().queryKey });
    await tab.pass(1_000);
    const { stories, totals } = toTimeline(recorder.events);
    expect(stories.map(({ kind }) => kind)).toEqual(['fetch']);
    expect(totals).toMatchObject({ refetches: 1, wasted: 0 });
  });

  it('tells gaps, and the connection and its channels as one story per moment', async () => {
    const { recorder, tab } = await openRecorded();
    realtime.broker.restart();
    await tab.pass(30_000);
    const { stories } = toTimeline(recorder.events);
    const gaps = stories.filter(({ kind }) => kind === 'gap');
    expect(gaps.find(({ name }) => name === ORG)).toMatchObject({
      staleCount: 1,
      fetches: [{ ended: { outcome: 'unchanged' } }],
    });
    const connection = stories.filter(({ kind }) => kind === 'connection');
    expect(connection.at(-1)).toMatchObject({ name: 'connected' });
    expect(connection.at(-1)?.channels).toContain(ORG);
  });

  it('begins in the middle where older events have left', async () => {
    const { recorder, tab } = await openRecorded();
    tab.backend.meta.touch = () => [touchedChannel(ORG, realtime.publish(ORG, INVALIDATE))];
    await tab.client.save.mutate({ id: '1', value: null });
    await tab.pass(1_000);
    for (let from = 0; from <= recorder.events.length; from++) {
      const { stories } = toTimeline(recorder.events.slice(from));
      expect(stories.length).toBeLessThanOrEqual(2);
      for (const { fetches } of stories) for (const { ended } of fetches) expect(ended).not.toBeNull();
    }
  });
});

describe('events as JSON', () => {
  it('name what they share by number, and can be read again', async () => {
    const { recorder, tab } = await openRecorded();
    realtime.publish(ORG, INVALIDATE);
    await tab.pass(1_000);
    const read = JSON.parse(eventsToJson(recorder.events)) as Record<string, unknown>[];
    expect(read.map(({ type }) => type)).toEqual(['publication', 'stale', 'refetch-started', 'refetch-ended']);
    const [, stale, started, ended] = read;
    expect(stale?.cause).toMatchObject({ id: 1, type: 'publication', channel: ORG });
    expect(started?.causes).toEqual([{ ref: 1 }]);
    expect(ended?.fetch).toBe(started?.id);
  });
});
