import { MutationObserver, onlineManager } from '@tanstack/query-core';
import { afterEach, describe, expect, it } from 'vitest';
import { type App, type AppOptions, openApp, turn, watchEverything } from '../../test/bound-app.ts';
import { touchedChannel, watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

function open(options?: AppOptions): App {
  const app = openApp(options);
  closing.push(() => app.close());
  watchEverything(app, ORG);
  return app;
}

const fresh = { staleTime: Number.POSITIVE_INFINITY };
const itemOf = (app: App, id = '1') => app.trpc.item.queryOptions({ id }, fresh);
const stateOf = (app: App, id = '1') => app.queryClient.getQueryState(itemOf(app, id).queryKey);
const statusOf = (app: App, id = '1') => app.binding.status(itemOf(app, id).queryKey);
const runs = (app: App) => app.backend.runs.get('item') ?? 0;

async function show(app: App, id = '1') {
  const shown = app.observe(itemOf(app, id));
  await app.pass(100);
  expect(statusOf(app, id).state).toBe('live');
  app.backend.runs.clear();
  return shown;
}

describe('joining and leaving', () => {
  it('happens with the first and 30 s after the last active query', async () => {
    const app = open();
    const first = await show(app, '1');
    const second = await show(app, '2');
    expect(app.manager.asked).toEqual([ORG]);
    first.end();
    await app.pass(60_000);
    expect(app.manager.subscriptions.size).toBe(1);
    second.end();
    await app.pass(29_000);
    expect(app.manager.subscriptions.size).toBe(1);
    await app.pass(2_000);
    expect(app.manager.subscriptions.size).toBe(0);
    expect(stateOf(app)?.isInvalidated).toBe(true);
    expect(runs(app)).toBe(0);
  });

  it('costs nothing for a query that comes back within the grace, whatever did not concern it', async () => {
    const app = open();
    const { end } = await show(app);
    end();
    await app.pass(20_000);
    app.manager.publish(ORG, { type: 'event', name: 'x', data: 1 });
    app.observe(itemOf(app));
    await app.pass(60_000);
    expect(app.manager.asked).toEqual([ORG]);
    expect(runs(app)).toBe(0);
    expect(statusOf(app).state).toBe('live');
  });

  it('does not happen for queries that nobody uses', async () => {
    const app = open();
    await app.queryClient.prefetchQuery(itemOf(app));
    await app.pass(60_000);
    expect(app.manager.asked).toEqual([]);
    expect(stateOf(app)?.isInvalidated).toBe(true);
  });

  it('follows the answers: a query that names other channels leaves the old ones', async () => {
    const app = open();
    await show(app);
    app.backend.meta.watch = () => [watched('trpc:org:2', app.manager.top('trpc:org:2'))];
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(40_000);
    expect([...app.manager.subscriptions.keys()]).toEqual(['trpc:org:2']);
    expect(statusOf(app).state).toBe('live');
    app.backend.runs.clear();
    app.manager.publish('trpc:org:2', INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
  });

  it('does not loop where every answer names another channel', async () => {
    const app = open();
    let count = 0;
    app.backend.meta.watch = () => [watched(`trpc:shard:${++count}`, null)];
    app.observe(itemOf(app));
    await app.pass(600_000);
    expect(runs(app)).toBeLessThan(30);
  });

  it('of a query that was removed from the cache ends', async () => {
    const app = open();
    const { end } = await show(app);
    end();
    app.queryClient.removeQueries();
    expect(statusOf(app).detail).toBe('unbound');
    await app.pass(31_000);
    expect(app.manager.subscriptions.size).toBe(0);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(0);
  });
});

describe('a channel that is refused', () => {
  it('leaves the data, says that nothing is known, and starts no fetch', async () => {
    const app = open();
    await show(app);
    app.manager.refused.set(ORG, 103);
    app.manager.refuse(ORG);
    await app.pass(5_000);
    expect(runs(app)).toBe(0);
    expect(statusOf(app)).toMatchObject({ state: 'unknown', detail: 'uncovered' });
    expect(app.queryClient.getQueryData<unknown>(itemOf(app).queryKey)).toEqual({ id: '1' });
  });

  it('is polled slowly, and says so', async () => {
    const app = open();
    await show(app);
    app.manager.refuse(ORG);
    await app.pass(300_000);
    expect(runs(app)).toBeGreaterThanOrEqual(3);
    expect(runs(app)).toBeLessThanOrEqual(7);
    expect(statusOf(app)).toMatchObject({ state: 'unknown', detail: 'polling' });
  });

  it('does not disturb the others', async () => {
    const app = open();
    app.backend.meta.watch = (_, input) => {
      const channel: ChannelName = `trpc:item:${(input as { id: string }).id}`;
      return [watched(channel, app.manager.top(channel))];
    };
    await show(app, '1');
    await show(app, '2');
    app.manager.refuse('trpc:item:1');
    app.manager.publish('trpc:item:2', INVALIDATE);
    await app.pass(1_000);
    expect(statusOf(app, '2').state).toBe('live');
    expect(runs(app)).toBe(1);
  });

  it('marks its unused queries', async () => {
    const app = open();
    const { end } = await show(app);
    end();
    app.manager.refuse(ORG);
    await app.pass(1_000);
    expect(stateOf(app)?.isInvalidated).toBe(true);
  });
});

describe('more channels than a connection may have', () => {
  const MANY = 10_000;
  const wide = (app: App) => {
    app.backend.meta.watch = (_, input) => {
      const id = Number((input as { id: string }).id);
      return Array.from({ length: 500 }, (_unused, at) => watched(`trpc:item:${id}-${at}`, { epoch: 'e', offset: 0 }));
    };
  };

  it('are joined as far as there is room; the rest says that it is not covered', async () => {
    const app = open();
    app.manager.maxChannels = 128;
    wide(app);
    for (let id = 0; id < MANY / 500; id++) app.observe(itemOf(app, `${id}`));
    await app.pass(1_000);
    const joined = [...app.manager.subscriptions.values()].filter((all) => [...all].some((one) => one.joined));
    expect(app.manager.asked).toHaveLength(MANY);
    expect(joined).toHaveLength(128);
    for (let id = 0; id < MANY / 500; id++) expect(statusOf(app, `${id}`).detail).toBe('uncovered');
    expect(runs(app)).toBe(MANY / 500);
  });

  it('push out the one that has been unused for longest, whose queries are marked', async () => {
    const app = open();
    app.manager.maxChannels = 2;
    app.backend.meta.watch = (_, input) => {
      const channel: ChannelName = `trpc:item:${(input as { id: string }).id}`;
      return [watched(channel, app.manager.top(channel))];
    };
    const one = await show(app, '1');
    const two = await show(app, '2');
    two.end();
    await app.pass(1_000);
    one.end();
    await app.pass(1_000);
    app.observe(itemOf(app, '3'));
    await app.pass(1_000);
    expect(app.manager.subscriptions.has('trpc:item:2')).toBe(false);
    expect(app.manager.subscriptions.has('trpc:item:1')).toBe(true);
    expect(stateOf(app, '2')?.isInvalidated).toBe(true);
    expect(stateOf(app, '1')?.isInvalidated).toBe(false);
  });
});

describe('a page that nobody looks at', () => {
  it.each([
    ['hidden', (app: App) => app.focus],
    ['offline', (app: App) => app.network],
  ])('is only marked, and read once on return: %s', async (_, source) => {
    const app = open();
    await show(app);
    source(app).set(false);
    for (let at = 0; at < 5; at++) app.manager.publish(ORG, INVALIDATE);
    await app.pass(60_000);
    expect(runs(app)).toBe(0);
    expect(stateOf(app)?.isInvalidated).toBe(true);
    expect(statusOf(app).state).toBe('stale');
    source(app).set(true);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
    expect(statusOf(app).state).toBe('live');
  });
});

describe('what a status tells of the fetch to come', () => {
  const dueIn = (app: App) => {
    const { refetchAt } = statusOf(app);
    return refetchAt === null ? null : refetchAt - app.clock.now();
  };

  it('is the end of the window, or the slot where refetches are spread', async () => {
    const app = open({ binding: { random: () => 0.5 } });
    await show(app);
    expect(dueIn(app)).toBe(null);
    let told = 0;
    app.binding.subscribe(() => told++);
    app.manager.publish(ORG, INVALIDATE);
    app.manager.publish(ORG, INVALIDATE);
    await turn();
    expect([told, statusOf(app).state, dueIn(app)]).toEqual([1, 'stale', 50]);
    expect(statusOf(app)).toBe(statusOf(app));
    await app.pass(100);
    expect([statusOf(app).state, dueIn(app)]).toEqual(['live', null]);
    app.manager.publish(ORG, { ...INVALIDATE, spreadMs: 4_000 });
    await turn();
    expect([statusOf(app).state, dueIn(app)]).toEqual(['stale', 2_050]);
  });

  it('is a slot too where the broker lost its history, as the last answer told; a gap of its own waits for nobody', async () => {
    const app = open({ binding: { random: () => 0.5 } });
    app.backend.meta.lostHistorySpreadMs = 4_000;
    await show(app);
    const comeBack = async () => {
      app.manager.drop();
      app.manager.rejoin('unrecovered');
      await turn();
    };
    app.manager.append(ORG, INVALIDATE);
    await comeBack();
    expect(dueIn(app)).toBe(50);
    await app.pass(100);
    app.manager.newEpoch(ORG, 'another');
    await comeBack();
    expect([statusOf(app).state, dueIn(app)]).toEqual(['stale', 2_050]);
    app.backend.meta.lostHistorySpreadMs = 0;
    await app.pass(2_100);
    expect([statusOf(app).state, runs(app)]).toEqual(['live', 2]);
    app.manager.newEpoch(ORG, 'a third');
    await comeBack();
    expect(dueIn(app)).toBe(50);
  });

  it('is nothing while it waits for being seen', async () => {
    const app = open();
    await show(app);
    app.focus.set(false);
    app.manager.publish(ORG, INVALIDATE);
    await turn();
    expect([statusOf(app).state, dueIn(app)]).toEqual(['stale', null]);
    app.focus.set(true);
    await turn();
    expect(dueIn(app)).toBe(50);
  });

  it('is the next poll, first after 30 s, then after a minute, and configurable', async () => {
    const app = open({ binding: { random: () => 0.5, pollAfterMs: 10_000, pollEveryMs: 20_000 } });
    await show(app);
    app.manager.drop();
    await turn();
    expect([statusOf(app).detail, dueIn(app)]).toEqual(['uncovered', 10_000]);
    await app.pass(10_100);
    expect(statusOf(app).detail).toBe('polling');
    expect(runs(app)).toBe(1);
    expect(dueIn(app)).toBeLessThanOrEqual(20_000);
    expect(dueIn(app)).toBeGreaterThan(10_000);
  });

  it('is the end of a back-off, and nothing while the fetch runs', async () => {
    const app = open({ binding: { random: () => 0.5 }, client: { defaultOptions: { queries: { retry: false } } } });
    await show(app);
    app.backend.before = () => Promise.reject(new TypeError('down'));
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    expect(statusOf(app).state).toBe('stale');
    expect(dueIn(app)).toBeGreaterThan(500);
    const seen: (number | null)[] = [];
    app.backend.before = () => {
      seen.push(dueIn(app));
      return undefined;
    };
    await app.pass(2_000);
    expect(seen).toEqual([null]);
    expect(statusOf(app).state).toBe('live');
  });
});

describe('a page without a network', () => {
  const always = (app: App) => ({ ...itemOf(app), networkMode: 'always' as const });

  it('refetches what never needs one, once, and marks the rest', async () => {
    const app = open();
    await show(app, '2');
    app.observe(always(app));
    await app.pass(100);
    app.backend.runs.clear();
    app.network.set(false);
    for (let at = 0; at < 5; at++) app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
    expect(statusOf(app, '1').state).toBe('live');
    expect(statusOf(app, '2').state).toBe('stale');
    app.network.set(true);
    await app.pass(1_000);
    expect(runs(app)).toBe(2);
  });

  it('polls what never needs one, when its channel stays away', async () => {
    const app = open();
    app.observe(always(app));
    await app.pass(100);
    app.backend.runs.clear();
    app.network.set(false);
    app.manager.drop();
    await app.pass(45_000);
    expect(runs(app)).toBe(1);
  });

  it('does not fetch even that while it is hidden', async () => {
    const app = open();
    app.observe(always(app));
    await app.pass(100);
    app.backend.runs.clear();
    app.focus.set(false);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(0);
    expect(stateOf(app)?.isInvalidated).toBe(true);
  });
});

describe('own mutations', () => {
  const slowly = (app: App) => {
    let release = () => {};
    app.backend.before = (path) =>
      path === 'save'
        ? new Promise<void>((resolve) => {
            release = resolve;
          })
        : undefined;
    return () => release();
  };

  it('hold refetches back until they are done', async () => {
    const app = open();
    await show(app);
    const release = slowly(app);
    const saved = app.client.save.mutate({ id: '1', value: { id: '1' } });
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(2_000);
    expect(runs(app)).toBe(0);
    await turn(5);
    release();
    await saved;
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
  });

  it('hold them back for five seconds at most', async () => {
    const app = open();
    await show(app);
    const release = slowly(app);
    const saved = app.client.save.mutate({ id: '1', value: { id: '1' } });
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(5_200);
    expect(runs(app)).toBe(1);
    release();
    await saved;
  });

  it('of the cache count until their callbacks are done', async () => {
    const app = open();
    await show(app);
    let finish = () => {};
    const mutation = new MutationObserver(app.queryClient, {
      mutationFn: async () => 1,
      onSuccess: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    const done = mutation.mutate();
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(2_000);
    expect(runs(app)).toBe(0);
    finish();
    await done;
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
  });

  it('that wait for the network hold nothing back', async () => {
    const app = open();
    await show(app);
    onlineManager.setOnline(false);
    closing.push(() => onlineManager.setOnline(true));
    const mutation = new MutationObserver(app.queryClient, { mutationFn: async () => 1 });
    void mutation.mutate();
    expect(mutation.getCurrentResult().isPaused).toBe(true);
    // A query that is fetched whatever the network is.
    app.queryClient
      .getQueryCache()
      .getAll()[0]
      ?.setOptions({ ...itemOf(app), networkMode: 'always' } as never);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
  });

  it('that fail have what was written by hand read again', async () => {
    const app = open();
    await show(app);
    const { queryKey } = itemOf(app);
    const mutation = new MutationObserver(app.queryClient, {
      mutationFn: () => app.client.saveFails.mutate(),
      onMutate: () => {
        const before = app.queryClient.getQueryData(queryKey);
        app.queryClient.setQueryData<unknown>(queryKey, { id: 'optimistic' });
        return { before };
      },
      onError: (_error, _input, context) => {
        app.queryClient.setQueryData(queryKey, context?.before);
      },
    });
    const failed = mutation.mutate().catch(() => {});
    await turn(1);
    expect(statusOf(app).state).not.toBe('live');
    await failed;
    await app.pass(5_000);
    expect(runs(app)).toBe(1);
    expect(statusOf(app).state).toBe('live');
  });

  it('whose announcement reaches nobody are shown in their own tab', async () => {
    const app = open();
    await show(app);
    app.backend.meta.touch = () => [touchedChannel(ORG, null)];
    await app.client.save.mutate({ id: '1', value: { id: '1', saved: true } });
    await app.pass(1_000);
    expect(app.queryClient.getQueryData<unknown>(itemOf(app).queryKey)).toEqual({ id: '1', saved: true });
  });
});

describe('messages on subscriptions made by hand', () => {
  const invalidate = (queryKey: readonly unknown[]): Message => ({ type: 'query-invalidation', queryKey });

  it('refetch the queries that they name, though no answer named the channel', async () => {
    const app = open();
    app.backend.meta.watch = () => [];
    app.observe(itemOf(app, '1'));
    app.observe({ queryKey: ['todos', 1], queryFn: () => app.client.item.query({ id: 'todo' }), ...fresh });
    await app.pass(100);
    app.backend.runs.clear();
    app.manager.deliver('trpc:user:1', invalidate(['todos']), null);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
    app.manager.deliver('trpc:user:1', invalidate(['item']), { epoch: 'e', offset: 9 });
    app.manager.deliver('trpc:user:1', invalidate(['item']), { epoch: 'e', offset: 10 });
    await app.pass(1_000);
    expect(runs(app)).toBe(2);
    app.manager.deliver('trpc:user:1', INVALIDATE, null);
    app.manager.deliver('trpc:user:1', invalidate(['others']), null);
    await app.pass(10_000);
    expect(runs(app)).toBe(2);
  });

  it('mark the unused ones', async () => {
    const app = open();
    app.backend.meta.watch = () => [];
    await app.queryClient.prefetchQuery(itemOf(app));
    app.manager.deliver('trpc:user:1', invalidate(['item']), null);
    await app.pass(1_000);
    expect(runs(app)).toBe(1);
    expect(stateOf(app)?.isInvalidated).toBe(true);
  });

  it('cost a bound query nothing more than its own channel tells', async () => {
    const app = open();
    await show(app);
    app.manager.publish(ORG, invalidate(['item']));
    await app.pass(10_000);
    expect(runs(app)).toBe(1);
  });

  it('on a channel that only bound queries keep joined, concern no query of another channel with the same key', async () => {
    const app = open();
    app.backend.meta.watch = (_, input) => {
      const channel = `trpc:org:${(input as { id: string }).id}` as const;
      return [watched(channel, app.manager.top(channel))];
    };
    app.observe(itemOf(app, '1'));
    app.observe(itemOf(app, '2'));
    await app.pass(100);
    expect(runs(app)).toBe(2);
    app.manager.publish('trpc:org:1', invalidate(['item']));
    await app.pass(10_000);
    expect(runs(app)).toBe(3);
  });
});

describe('a refetch', () => {
  const slowly = (app: App) => {
    const releases: (() => void)[] = [];
    app.backend.before = () => new Promise<void>((resolve) => releases.push(resolve));
    return () => {
      app.backend.before = () => undefined;
      for (const release of releases) release();
    };
  };

  it('that the app cancels is tried again', async () => {
    const app = open();
    await show(app);
    const release = slowly(app);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    expect(runs(app)).toBe(1);
    await app.queryClient.cancelQueries({ queryKey: itemOf(app).queryKey });
    release();
    await app.pass(100);
    expect(statusOf(app).state).toBe('stale');
    await app.pass(10_000);
    expect(runs(app)).toBe(2);
    expect(statusOf(app).state).toBe('live');
  });

  it('that fails keeps the data, and is tried again', async () => {
    const app = open();
    await show(app);
    let failures = 2;
    app.backend.before = () => {
      if (failures-- > 0) throw new Error('no');
    };
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    expect(stateOf(app)).toMatchObject({ status: 'error', data: { id: '1' } });
    await app.pass(60_000);
    expect(runs(app)).toBe(3);
    expect(statusOf(app).state).toBe('live');
  });

  it('that hangs is given up', async () => {
    const app = open();
    await show(app);
    const release = slowly(app);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    app.backend.before = () => undefined;
    await app.pass(40_000);
    expect(runs(app)).toBe(2);
    expect(statusOf(app).state).toBe('live');
    release();
  });

  it('never overlaps with one that the app began itself', async () => {
    const app = open();
    await show(app);
    const release = slowly(app);
    void app.queryClient.refetchQueries({ queryKey: itemOf(app).queryKey });
    await turn(5);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(2_000);
    expect(runs(app)).toBe(1);
    release();
    await app.pass(1_000);
    expect(runs(app)).toBe(2);
    expect(statusOf(app).state).toBe('live');
  });
});

describe('a query that is reset', () => {
  it('is not called live before it has data again', async () => {
    const app = open();
    const { end } = await show(app);
    end();
    await app.queryClient.resetQueries({ queryKey: itemOf(app).queryKey });
    await turn(1);
    expect(statusOf(app).detail).toBe('unbound');
    app.observe(itemOf(app));
    await app.pass(100);
    expect(runs(app)).toBe(1);
    expect(statusOf(app).state).toBe('live');
  });
});

describe('data written by hand', () => {
  it('does not hide that something newer exists', async () => {
    const app = open();
    await show(app);
    app.focus.set(false);
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(100);
    expect(stateOf(app)?.isInvalidated).toBe(true);
    app.queryClient.setQueryData<unknown>(itemOf(app).queryKey, { id: 'mine' });
    expect(stateOf(app)?.isInvalidated).toBe(false);
    await app.pass(100);
    expect(stateOf(app)?.isInvalidated).toBe(true);
  });
});

describe('the status of a query', () => {
  it('is one object until it changes, and its change is told', async () => {
    const app = open();
    let told = 0;
    const end = app.binding.subscribe(() => told++);
    await show(app);
    expect(told).toBeGreaterThan(0);
    const live = statusOf(app);
    expect(statusOf(app)).toBe(live);
    told = 0;
    await app.clock.advance(1_000);
    app.manager.publish(ORG, INVALIDATE);
    await turn();
    expect(told).toBe(1);
    expect(statusOf(app)).toMatchObject({ state: 'stale', detail: 'stale', since: app.clock.now() });
    end();
    end();
    told = 0;
    await app.pass(1_000);
    expect(told).toBe(0);
  });

  it('is unknown while the connection is away, and live again after', async () => {
    const app = open();
    await show(app);
    app.manager.drop();
    expect(statusOf(app).state).not.toBe('live');
    await turn(1);
    expect(statusOf(app)).toMatchObject({ state: 'unknown', detail: 'uncovered' });
    await app.pass(100_000);
    expect(statusOf(app)).toMatchObject({ state: 'unknown', detail: 'polling' });
    app.manager.rejoin('unrecovered');
    await app.pass(1_000);
    expect(statusOf(app).state).toBe('live');
  });
});
