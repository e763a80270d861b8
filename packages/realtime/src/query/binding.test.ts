import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type App, type AppOptions, openApp, watchEverything } from '../../test/bound-app.ts';
import { touchedChannel, watched } from '../../test/trpc-backend.ts';
import type { Message } from '../core/message.ts';

const ORG = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const EVENT: Message = { type: 'event', name: 'typing', data: null };

let app: App;
beforeEach(() => open());
afterEach(() => app.close());

function open(options?: AppOptions) {
  app?.close();
  app = openApp(options);
  watchEverything(app, ORG);
}

const item = (id = '1') => app.trpc.item.queryOptions({ id }, { staleTime: Number.POSITIVE_INFINITY });
const runs = (path = 'item') => app.backend.runs.get(path) ?? 0;
const statusOf = (query: { queryKey: readonly unknown[] } = item()) => app.binding.status(query.queryKey).detail;

/** Shows a query and waits until it is live; what was fetched until then does not count. */
async function show(query = item()) {
  const shown = app.observe(query);
  await app.pass(100);
  expect(statusOf(query)).toBe('live');
  app.backend.runs.clear();
  return shown;
}

describe('how many refetches an active query needs', () => {
  it('1 for a publication newer than its proof', async () => {
    await show();
    app.manager.publish(ORG, INVALIDATE);
    expect(statusOf()).toBe('stale');
    await app.pass(10_000);
    expect(runs()).toBe(1);
    expect(statusOf()).toBe('live');
  });

  it('0 for a publication that its data contains already', async () => {
    await show();
    const position = app.manager.append(ORG, INVALIDATE);
    await app.queryClient.refetchQueries({ queryKey: item().queryKey });
    app.backend.runs.clear();
    app.manager.deliver(ORG, INVALIDATE, position);
    await app.pass(10_000);
    expect(runs()).toBe(0);
    expect(statusOf()).toBe('live');
  });

  it('0 for an event', async () => {
    await show();
    app.manager.publish(ORG, EVENT);
    await app.pass(10_000);
    expect(runs()).toBe(0);
    expect(statusOf()).toBe('live');
  });

  it.each([
    ['its own key', (): readonly unknown[] => item().queryKey, 1],
    ['its path', (): readonly unknown[] => ['item'], 1],
    ['another path', (): readonly unknown[] => ['value'], 0],
    ['its path with another input', (): readonly unknown[] => item('2').queryKey, 0],
  ])('as the key says, for a query invalidation: %s', async (_, queryKey, expected) => {
    await show();
    app.manager.publish(ORG, { type: 'query-invalidation', queryKey: queryKey() });
    await app.pass(10_000);
    expect(runs()).toBe(expected);
  });

  it('1 for many publications within one window', async () => {
    await show();
    for (let at = 0; at < 20; at++) app.manager.publish(ORG, INVALIDATE);
    await app.pass(10_000);
    expect(runs()).toBe(1);
  });

  it('at most one more for many publications during one fetch', async () => {
    await show();
    let release = () => {};
    app.backend.before = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    for (let at = 0; at < 20; at++) app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs()).toBe(1);
    app.backend.before = () => undefined;
    release();
    await app.pass(10_000);
    expect(runs()).toBe(2);
    expect(statusOf()).toBe('live');
  });

  it('never a cancelled one under steady pushes, and new data all the time', async () => {
    const { observer } = await show();
    let updates = 0;
    const cancelled: unknown[] = [];
    const end = observer.subscribe((result) => {
      updates = Math.max(updates, result.dataUpdatedAt);
    });
    app.queryClient.getQueryCache().subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'error') cancelled.push(event.action);
    });
    for (let at = 0; at < 50; at++) {
      app.manager.publish(ORG, INVALIDATE);
      await app.clock.advance(20);
    }
    await app.pass(5_000);
    end();
    expect(cancelled).toEqual([]);
    expect(runs()).toBeGreaterThan(3);
    expect(runs()).toBeLessThan(25);
    expect(statusOf()).toBe('live');
  });

  describe.each([
    ['with the app’s own invalidateQueries', true],
    ['without', false],
  ])('1 for an own mutation %s', (_, invalidates) => {
    it.each([['the echo comes after the answer'], ['the echo comes before the answer'], ['the echo is late']])(
      '%s',
      async (when) => {
        await show();
        app.backend.meta.touch = () => {
          const position = app.manager.append(ORG, INVALIDATE);
          if (when === 'the echo comes before the answer') app.manager.deliver(ORG, INVALIDATE, position);
          return [touchedChannel(ORG, position)];
        };
        await app.client.save.mutate({ id: '1', value: { id: '1', name: 'new' } });
        if (invalidates) void app.queryClient.invalidateQueries({ queryKey: item().queryKey });
        if (when === 'the echo is late') await app.pass(5_000);
        if (when !== 'the echo comes before the answer') app.manager.deliver(ORG, INVALIDATE, app.manager.top(ORG));
        await app.pass(10_000);
        // An echo before the answer may open its window before the app invalidates; that fetch joins the other.
        expect(runs()).toBe(1);
        expect(app.queryClient.getQueryData(item().queryKey)).toEqual({ id: '1', name: 'new' });
        expect(statusOf()).toBe('live');
      },
    );
  });

  it('1 for an own mutation whose position is not known, and 1 for its echo at most', async () => {
    await show();
    app.backend.meta.touch = () => [touchedChannel(ORG, null)];
    await app.client.save.mutate({ id: '1', value: { id: '1' } });
    await app.pass(10_000);
    expect(runs()).toBe(1);
    expect(statusOf()).toBe('live');
  });

  it('0 for a rejoin that recovered, but for what its publications ask', async () => {
    await show();
    const from = app.manager.top(ORG);
    app.manager.drop();
    await app.pass(1_000);
    expect(statusOf()).toBe('uncovered');
    app.manager.rejoin('recovered', () => from);
    await app.pass(10_000);
    expect(runs()).toBe(0);
    expect(statusOf()).toBe('live');

    app.manager.drop();
    app.manager.append(ORG, EVENT);
    app.manager.append(ORG, INVALIDATE);
    app.manager.rejoin('recovered', () => from);
    await app.pass(10_000);
    expect(runs()).toBe(1);
  });

  it('0 for a rejoin that did not recover where nothing was published', async () => {
    await show();
    app.manager.drop();
    app.manager.rejoin('unrecovered');
    await app.pass(10_000);
    expect(runs()).toBe(0);
  });

  it('1 for a rejoin that did not recover', async () => {
    await show();
    app.manager.drop();
    app.manager.append(ORG, EVENT);
    app.manager.rejoin('unrecovered');
    await app.pass(10_000);
    expect(runs()).toBe(1);
    expect(statusOf()).toBe('live');
  });

  it('1 for a new epoch', async () => {
    await show();
    app.manager.newEpoch(ORG, 'f');
    app.manager.drop();
    app.manager.rejoin('unrecovered');
    await app.pass(10_000);
    expect(runs()).toBe(1);
    expect(statusOf()).toBe('live');
  });

  it.each([
    ['stamp at the top', () => app.manager.top(ORG), 0],
    ['stamp unknown', () => null, 1],
  ])('at the first join, %s', async (_, stamp, expected) => {
    app.backend.meta.watch = () => [watched(ORG, stamp())];
    app.observe(item());
    await app.pass(10_000);
    expect(runs()).toBe(1 + expected);
    expect(statusOf()).toBe('live');
  });

  it.each([
    ['1 where something was published since the stamp', INVALIDATE, 1],
    ['0 where only events were, and history tells', EVENT, 0],
  ])('at the first join, %s', async (_, message, expected) => {
    app.backend.before = () => {};
    app.backend.meta.watch = () => {
      const stamp = app.manager.top(ORG);
      app.manager.append(ORG, message);
      app.backend.meta.watch = () => [watched(ORG, app.manager.top(ORG))];
      return [watched(ORG, stamp)];
    };
    app.observe(item());
    await app.pass(10_000);
    expect(runs()).toBe(1 + expected);
    expect(statusOf()).toBe('live');
  });

  it('1 at the join where API and sockets are different brokers, then slow polling, and it says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    app.backend.meta.watch = () => [watched(ORG, { epoch: 'other', offset: 5 })];
    app.observe(item());
    await app.pass(5_000);
    expect(runs()).toBe(2);
    expect(statusOf()).toBe('suspect');
    expect(warn).not.toHaveBeenCalled();
    await app.pass(300_000);
    expect(runs()).toBeLessThanOrEqual(9);
    expect(statusOf()).toBe('suspect');
    expect(warn.mock.calls).toEqual([[expect.stringContaining('another broker')]]);
    warn.mockRestore();
  });
});
