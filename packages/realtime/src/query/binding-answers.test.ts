import { InfiniteQueryObserver, QueriesObserver, skipToken } from '@tanstack/query-core';
import superjson from 'superjson';
import { afterEach, describe, expect, it } from 'vitest';
import { type App, type AppOptions, openApp, turn, watchEverything } from '../../test/bound-app.ts';
import { createBackend, openTransport, TRANSPORTS, touchedChannel, watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function open(options?: AppOptions): App {
  const app = openApp(options);
  closing.push(() => app.close());
  watchEverything(app, ORG);
  return app;
}

const fresh = { staleTime: Number.POSITIVE_INFINITY };

/** The proof of a binding: one refetch for a change, and live before and after. */
async function expectBound(app: App, queryKey: readonly unknown[], path: string, reads = 1) {
  await app.pass(1_000);
  expect(app.binding.status(queryKey)).toMatchObject({ state: 'live', detail: 'live' });
  app.backend.runs.clear();
  app.manager.publish(ORG, INVALIDATE);
  await app.pass(5_000);
  expect(app.backend.runs.get(path)).toBe(reads);
  expect(app.binding.status(queryKey).state).toBe('live');
}

const MATRIX = TRANSPORTS.flatMap((kind) => [
  { kind, name: 'JSON', transformer: null },
  { kind, name: 'superjson', transformer: superjson },
]);

describe.each(MATRIX)('answers over $kind with $name', ({ kind, transformer }) => {
  async function connect(options: Omit<AppOptions, 'backend' | 'make'> = {}) {
    const backend = createBackend({ transformer });
    const transport = await openTransport(backend, kind, transformer);
    closing.push(transport.close);
    return open({ ...options, backend, make: transport.make });
  }

  it('bind objects', async () => {
    const app = await connect();
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    app.observe(query);
    await expectBound(app, query.queryKey, 'item');
  });

  it.each([
    ['a number', 5],
    ['a string', 'text'],
    ['null', null],
    ['an empty list', []],
  ])('bind %s', async (_, value) => {
    const app = await connect();
    app.backend.items.set('value', value);
    const query = app.trpc.value.queryOptions(undefined, fresh);
    app.observe(query);
    await expectBound(app, query.queryKey, 'value');
  });

  it('bind a query with a primitive input to the right call', async () => {
    const app = await connect();
    app.backend.meta.watch = (_, input) => [watched(`trpc:text:${input}`, app.manager.top(`trpc:text:${input}`))];
    for (const [id, value] of [
      ['a', 1],
      ['b', 2],
    ] as const)
      app.backend.items.set(id, value);
    const [a, b] = [app.trpc.byText.queryOptions('a', fresh), app.trpc.byText.queryOptions('b', fresh)];
    app.observe(a);
    app.observe(b);
    await app.pass(1_000);
    app.backend.runs.clear();
    app.manager.publish('trpc:text:a', INVALIDATE);
    expect(app.binding.status(a.queryKey).state).toBe('stale');
    expect(app.binding.status(b.queryKey).state).toBe('live');
    await app.pass(5_000);
    expect(app.backend.runs.get('byText')).toBe(1);
  });

  it('bind all pages of an infinite query', async () => {
    const app = await connect();
    const query = app.trpc.pages.infiniteQueryOptions({ limit: 2 }, { ...fresh, getNextPageParam: ({ next }) => next });
    const observer = new InfiniteQueryObserver(app.queryClient, query as never);
    closing.push(observer.subscribe(() => {}));
    await app.pass(1_000);
    await observer.fetchNextPage();
    await expectBound(app, query.queryKey, 'pages', 2);
  });

  it('bind what a query with a key of its own made of nothing else', async () => {
    const app = await connect();
    const query = { queryKey: ['mine'], queryFn: () => app.client.item.query({ id: '1' }), ...fresh };
    app.observe(query);
    await expectBound(app, query.queryKey, 'item');
  });

  it('bind a query behind a key prefix', async () => {
    const app = await connect({ keyPrefix: 'p' });
    app.backend.items.set('value', 5);
    const query = app.trpc.value.queryOptions(undefined, fresh);
    expect(query.queryKey[0]).toEqual(['p']);
    app.observe(query);
    await expectBound(app, query.queryKey, 'value');
  });

  it('make the echo of an own mutation free', async () => {
    const app = await connect();
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    app.observe(query);
    await app.pass(1_000);
    app.backend.runs.clear();
    app.backend.meta.touch = () => [touchedChannel(ORG, app.manager.append(ORG, INVALIDATE))];
    await app.client.save.mutate({ id: '1', value: { id: '1', at: 2 } });
    app.manager.deliver(ORG, INVALIDATE, app.manager.top(ORG));
    await app.pass(5_000);
    expect(app.backend.runs.get('item')).toBe(1);
    expect(app.queryClient.getQueryData<unknown>(query.queryKey)).toEqual({ id: '1', at: 2 });
  });
});

describe('answers', () => {
  it.each([
    ['a list', (values: unknown[]) => values],
    ['an object', ([one, two]: unknown[]) => ({ one, two })],
  ])('put together in %s bind it to the channels of all of them', async (_, put) => {
    const app = open();
    app.backend.meta.watch = (_path, input) => {
      const channel: ChannelName = `trpc:item:${(input as { id: string }).id}`;
      return [watched(channel, app.manager.top(channel))];
    };
    const queryFn = async () => put(await Promise.all(['1', '2'].map((id) => app.client.item.query({ id }))));
    app.observe({ queryKey: ['both'], queryFn, ...fresh });
    await app.pass(1_000);
    for (const [channel, reads] of [
      ['trpc:item:1', 4],
      ['trpc:item:2', 6],
    ] as const) {
      expect(app.binding.status(['both']).state).toBe('live');
      app.manager.publish(channel, INVALIDATE);
      await app.pass(1_000);
      expect(app.backend.runs.get('item')).toBe(reads);
    }
    expect(app.binding.status(['both']).state).toBe('live');
  });

  it('put together with something else bind nothing: it may change unheard', async () => {
    const app = open();
    app.observe({ queryKey: ['mixed'], queryFn: async () => [await app.client.item.query({ id: '1' }), 5], ...fresh });
    await app.pass(1_000);
    expect(app.binding.status(['mixed']).detail).toBe('unbound');
  });

  it('that the app puts into the cache by hand bind it', async () => {
    const app = open();
    const { queryKey } = app.trpc.item.queryOptions({ id: '1' });
    app.queryClient.setQueryData<unknown>(queryKey, await app.client.item.query({ id: '1' }));
    app.observe(app.trpc.item.queryOptions({ id: '1' }, fresh));
    await expectBound(app, queryKey, 'item');
  });

  it('that stream values bind the list of them', async () => {
    const backend = createBackend();
    const transport = await openTransport(backend, 'httpBatchStreamLink', null);
    const app = open({ backend, make: transport.make });
    const query = app.trpc.stream.queryOptions(undefined, fresh);
    app.observe(query);
    await expectBound(app, query.queryKey, 'stream');
    expect(app.queryClient.getQueryData<unknown>(query.queryKey)).toEqual([1, 2]);
  });

  it('of many queries at once keep to their own', async () => {
    const app = open();
    app.backend.meta.watch = (_, input) => {
      const channel: ChannelName = `trpc:item:${(input as { id: string }).id}`;
      return [watched(channel, app.manager.top(channel))];
    };
    const queries = ['1', '2', '3'].map((id) => app.trpc.item.queryOptions({ id }, fresh));
    closing.push(new QueriesObserver(app.queryClient, queries as never).subscribe(() => {}));
    await app.pass(1_000);
    expect(app.backend.requests).toHaveLength(1);
    app.backend.runs.clear();
    app.manager.publish('trpc:item:2', INVALIDATE);
    expect(queries.map(({ queryKey }) => app.binding.status(queryKey).state)).toEqual(['live', 'stale', 'live']);
    await app.pass(5_000);
    expect(app.backend.runs.get('item')).toBe(1);
  });

  it('bind once the input is there', async () => {
    const app = open();
    const { observer } = app.observe(app.trpc.item.queryOptions(skipToken));
    await app.pass(1_000);
    expect(app.manager.asked).toEqual([]);
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    observer.setOptions(query as never);
    await expectBound(app, query.queryKey, 'item');
  });

  it('that were prefetched need no second read when they are shown', async () => {
    const app = open();
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    await app.queryClient.prefetchQuery(query);
    await app.pass(1_000);
    expect(app.manager.asked).toEqual([]);
    app.observe(query);
    await app.pass(3_000);
    expect(app.manager.asked).toEqual([ORG]);
    expect(app.backend.runs.get('item')).toBe(1);
    await expectBound(app, query.queryKey, 'item');
  });

  it('of a suspended component bind like others', async () => {
    const app = open();
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    const { observer } = app.observe(query);
    await observer.fetchOptimistic({ ...app.queryClient.defaultQueryOptions(query as never) });
    await expectBound(app, query.queryKey, 'item');
  });

  it('equal to the last bind the data that was kept', async () => {
    const app = open();
    app.backend.items.set('1', { id: '1' });
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    app.observe(query);
    await app.pass(1_000);
    const before = app.queryClient.getQueryData(query.queryKey);
    await expectBound(app, query.queryKey, 'item');
    expect(app.queryClient.getQueryData(query.queryKey)).toBe(before);
  });

  it('equal to the last make the pages that are kept as new as themselves', async () => {
    const app = open();
    const query = app.trpc.pages.infiniteQueryOptions({ limit: 2 }, { ...fresh, getNextPageParam: ({ next }) => next });
    const observer = new InfiniteQueryObserver(app.queryClient, query as never);
    closing.push(observer.subscribe(() => {}));
    await expectBound(app, query.queryKey, 'pages');
    await observer.fetchNextPage();
    await app.pass(5_000);
    expect(app.backend.runs.get('pages')).toBe(2);
    expect(app.binding.status(query.queryKey).state).toBe('live');
  });

  it('reach every query client that asked, and only those', async () => {
    const one = open();
    const backend = one.backend;
    const two = open({ backend, manager: one.manager, clock: one.clock, answers: one.answers });
    backend.items.set('value', 5);
    const query = one.trpc.value.queryOptions(undefined, fresh);
    one.observe(query);
    await one.pass(1_000);
    expect(one.binding.status(query.queryKey).state).toBe('live');
    expect(two.binding.status(query.queryKey).detail).toBe('unbound');
    two.observe(two.trpc.value.queryOptions(undefined, fresh));
    await two.pass(1_000);
    expect(two.binding.status(query.queryKey).state).toBe('live');
    backend.runs.clear();
    one.manager.publish(ORG, INVALIDATE);
    await one.pass(5_000);
    expect(backend.runs.get('value')).toBe(2);
  });

  it('that were replaced by a newer fetch are not bound', async () => {
    const app = open();
    app.backend.items.set('value', 1);
    const query = app.trpc.value.queryOptions(undefined, fresh);
    app.observe(query);
    await app.pass(1_000);
    const releases: (() => void)[] = [];
    let reads = 0;
    app.backend.meta.watch = () => [watched(reads++ ? ORG : 'trpc:org:old', app.manager.top(ORG))];
    app.backend.before = () => new Promise((resolve) => releases.push(resolve));
    void app.queryClient.refetchQueries({ queryKey: query.queryKey });
    await turn();
    void app.queryClient.refetchQueries({ queryKey: query.queryKey }, { cancelRefetch: true });
    await turn();
    for (const release of releases.reverse()) release();
    await app.pass(1_000);
    expect(reads).toBe(2);
    expect(app.manager.asked).not.toContain('trpc:org:old');
    expect(app.binding.status(query.queryKey).state).toBe('live');
  });

  it('bind the attempt that succeeded', async () => {
    const app = open();
    app.backend.items.set('value', 1);
    let attempts = 0;
    app.backend.before = () => {
      if (++attempts < 3) throw new Error('no');
    };
    const query = app.trpc.value.queryOptions(undefined, { ...fresh, retry: 5, retryDelay: 1 });
    app.observe(query);
    await expectBound(app, query.queryKey, 'value');
  });

  it('of a server without the middleware leave everything as it is', async () => {
    const app = open();
    app.backend.meta.watch = () => [];
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    app.observe(query);
    await app.pass(120_000);
    expect(app.backend.runs.get('item')).toBe(1);
    expect(app.manager.asked).toEqual([]);
    expect(app.binding.status(query.queryKey)).toEqual({
      state: 'unknown',
      detail: 'unbound',
      since: 0,
      refetchAt: null,
    });
  });

  it.each([
    ['malformed', { v: 1, watch: [{ channel: ORG }, { channel: 7 }] }],
    ['of a newer version', { v: 2, watch: [{ channel: ORG }] }],
  ])('with metadata that is %s show their data and bind nothing', async (_, wire) => {
    const app = open();
    app.backend.meta.raw = (d) => ({ '~op/rt': wire, d });
    const query = app.trpc.item.queryOptions({ id: '1' }, fresh);
    app.observe(query);
    await app.pass(5_000);
    expect(app.queryClient.getQueryData<unknown>(query.queryKey)).toEqual({ id: '1' });
    expect(app.manager.asked).toEqual([]);
    expect(app.binding.status(query.queryKey).detail).toBe('unbound');
    // The next one may be fine again.
    delete app.backend.meta.raw;
    await app.queryClient.refetchQueries({ queryKey: query.queryKey });
    await expectBound(app, query.queryKey, 'item');
  });

  it('of which one page has malformed metadata bind nothing: it may change unheard', async () => {
    const app = open();
    let page = 0;
    app.backend.meta.raw = (d) => ({
      '~op/rt': page++ ? { v: 1, watch: 'all' } : { v: 1, watch: [{ channel: ORG, epoch: 'e', offset: 0 }] },
      d,
    });
    const query = app.trpc.pages.infiniteQueryOptions({ limit: 2 }, { ...fresh, getNextPageParam: ({ next }) => next });
    const observer = new InfiniteQueryObserver(app.queryClient, query as never);
    closing.push(observer.subscribe(() => {}));
    await app.pass(50);
    expect(app.binding.status(query.queryKey).detail).not.toBe('unbound');
    await observer.fetchNextPage();
    await app.pass(1_000);
    expect(app.binding.status(query.queryKey).detail).toBe('unbound');
  });

  it('hand their grants over before the channel is asked for', async () => {
    const app = open();
    app.backend.meta.watch = () => [watched(ORG, app.manager.top(ORG), 'token'), watched('trpc:global', null)];
    const seen: unknown[] = [];
    const { subscribe } = app.manager;
    app.manager.subscribe = (channel, ...rest) => {
      seen.push([channel, [...app.manager.grants]]);
      return subscribe.call(app.manager, channel, ...rest);
    };
    app.observe(app.trpc.item.queryOptions({ id: '1' }, fresh));
    await app.pass(1_000);
    expect(app.manager.grants).toContainEqual({ channel: ORG, token: 'token' });
    expect(seen[0]).toEqual([ORG, [{ channel: ORG, token: 'token' }]]);
  });
});
