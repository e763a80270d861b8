import { dehydrate, hydrate, QueryClient } from '@tanstack/query-core';
import { createTRPCClient, unstable_localLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import superjson from 'superjson';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type App, openApp, turn } from '../../test/bound-app.ts';
import { FakeManager } from '../../test/fake-manager.ts';
import { createBackend, watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import { createRealtime } from '../server/create-realtime.ts';
import type { Realtime } from '../server/realtime.ts';
import { realtimeLink } from '../trpc/client/index.ts';
import { initRealtime, realtimeContext } from '../trpc/server/index.ts';
import { Answers } from './answers.ts';
import { carryFreshness, deserializeData, serializeData } from './hydration.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** A server that renders with a query client of its own, and a browser that takes over. */
function open(json: typeof superjson | null) {
  const backend = createBackend();
  const manager = new FakeManager();
  backend.meta.watch = () => [watched(ORG, manager.top(ORG), 'grant')];
  const side = () => {
    const answers = new Answers();
    const freshness = carryFreshness({
      answers,
      ...(json && { serialize: json.serialize, deserialize: (data) => json.deserialize(data as never) }),
    });
    const app = openApp({
      backend,
      manager,
      answers,
      client: {
        defaultOptions: {
          dehydrate: { serializeData: freshness.serializeData },
          hydrate: { deserializeData: freshness.deserializeData },
        },
      },
    });
    closing.push(() => app.close());
    return app;
  };
  const server = side();
  const browser = side();
  /** What travels in the page. */
  const send = () => JSON.parse(JSON.stringify(dehydrate(server.queryClient)));
  return { backend, manager, server, browser, send };
}
const itemOf = (app: App) => app.trpc.item.queryOptions({ id: '1' }, fresh);

describe.each([
  ['JSON', null],
  ['superjson', superjson],
])('a query that a server rendered, with %s', (_, json) => {
  it('is bound and live without another request where nothing changed', async () => {
    const { backend, manager, server, browser, send } = open(json);
    await server.queryClient.prefetchQuery(itemOf(server));
    expect(manager.asked).toEqual([]);
    hydrate(browser.queryClient, send());
    browser.observe(itemOf(browser));
    await browser.pass(10_000);
    expect(backend.runs.get('item')).toBe(1);
    expect(manager.grants).toContainEqual({ channel: ORG, token: 'grant' });
    expect(browser.binding.status(itemOf(browser).queryKey).state).toBe('live');
    manager.publish(ORG, INVALIDATE);
    await browser.pass(1_000);
    expect(backend.runs.get('item')).toBe(2);
  });

  it('shows what changed between the render and the hydration, with one request', async () => {
    const { backend, manager, server, browser, send } = open(json);
    await server.queryClient.prefetchQuery(itemOf(server));
    const page = send();
    backend.items.set('1', { id: '1', changed: true });
    manager.append(ORG, INVALIDATE);
    hydrate(browser.queryClient, page);
    browser.observe(itemOf(browser));
    await browser.pass(10_000);
    expect(backend.runs.get('item')).toBe(2);
    expect(browser.queryClient.getQueryData<unknown>(itemOf(browser).queryKey)).toEqual({ id: '1', changed: true });
    expect(browser.binding.status(itemOf(browser).queryKey).state).toBe('live');
  });

  it('is fetched once where its channel cannot be joined in time', async () => {
    const { backend, manager, server, browser, send } = open(json);
    manager.isConnected = false;
    await server.queryClient.prefetchQuery(itemOf(server));
    hydrate(browser.queryClient, send());
    browser.observe(itemOf(browser));
    await browser.pass(6_000);
    await browser.pass(1_000);
    expect(backend.runs.get('item')).toBe(2);
  });

  it('is bound with all its pages', async () => {
    const { backend, manager, server, browser, send } = open(json);
    const pagesOf = (app: App) =>
      app.trpc.pages.infiniteQueryOptions({ limit: 2 }, { ...fresh, getNextPageParam: ({ next }) => next });
    await server.queryClient.prefetchInfiniteQuery({ ...pagesOf(server), pages: 2 } as never);
    hydrate(browser.queryClient, send());
    browser.observe(pagesOf(browser) as never);
    await browser.pass(1_000);
    expect(browser.binding.status(pagesOf(browser).queryKey).state).toBe('live');
    expect(backend.runs.get('pages')).toBe(2);
    manager.publish(ORG, INVALIDATE);
    await browser.pass(1_000);
    expect(backend.runs.get('pages')).toBe(4);
  });

  it('is bound where it comes into a query that exists already', async () => {
    const { backend, manager, server, browser, send } = open(json);
    browser.observe(itemOf(browser));
    await browser.pass(1_000);
    backend.items.set('1', { id: '1', changed: true });
    manager.publish(ORG, INVALIDATE);
    await turn(3); // so that its time is later
    await server.queryClient.prefetchQuery(itemOf(server));
    backend.runs.clear();
    hydrate(browser.queryClient, send());
    await browser.pass(10_000);
    expect(browser.queryClient.getQueryData<unknown>(itemOf(browser).queryKey)).toEqual({ id: '1', changed: true });
    expect(backend.runs.get('item')).toBeUndefined();
    expect(browser.binding.status(itemOf(browser).queryKey).state).toBe('live');
  });

  it('is bound where it is streamed as a promise', async () => {
    const { backend, manager, server, browser } = open(json);
    void server.queryClient.prefetchQuery(itemOf(server));
    const state = dehydrate(server.queryClient, { shouldDehydrateQuery: () => true });
    hydrate(browser.queryClient, state);
    browser.observe(itemOf(browser));
    await browser.pass(1_000);
    expect(backend.runs.get('item')).toBe(1);
    expect(browser.binding.status(itemOf(browser).queryKey).state).toBe('live');
    manager.publish(ORG, INVALIDATE);
    await browser.pass(1_000);
    expect(backend.runs.get('item')).toBe(2);
  });

  it('travels as it is where nothing is known about it', async () => {
    const { server, browser, send, backend } = open(json);
    backend.meta.watch = () => [];
    await server.queryClient.prefetchQuery(itemOf(server));
    hydrate(browser.queryClient, send());
    expect(browser.queryClient.getQueryData<unknown>(itemOf(browser).queryKey)).toEqual({ id: '1' });
    expect(browser.binding.status(itemOf(browser).queryKey).detail).toBe('unbound');
  });
});

describe('a query that a server rendered through tRPC within its own process', () => {
  it('is bound and stamped like any other', async () => {
    const manager = new FakeManager();
    const realtime = {
      ...createRealtime({ apiUrl: 'http://127.0.0.1:9/api', apiKey: 'key', tokenSecret: 'secret' }),
      positions: async (channels: readonly string[]) =>
        new Map(channels.map((channel) => [channel, manager.top(channel)])),
    } as Realtime;
    const { base, watches } = initRealtime({ realtime, userId: () => '7' });
    const t = initTRPC.create({ isServer: true, allowOutsideOfServer: true });
    const router = t.router({
      posts: t.procedure
        .use(base)
        .use(watches(() => ORG))
        .query(() => ({ rows: [1] })),
    });
    const answers = new Answers();
    const carrier = carryFreshness({ answers });
    const server = new QueryClient({ defaultOptions: { dehydrate: { serializeData: carrier.serializeData } } });
    const trpc = createTRPCOptionsProxy<typeof router>({
      queryClient: server,
      client: createTRPCClient<typeof router>({
        links: [
          realtimeLink(
            () => unstable_localLink({ router, createContext: async () => realtimeContext({ announced: true }) }),
            { answers },
          ),
        ],
      }),
    });
    await server.prefetchQuery(trpc.posts.queryOptions());
    const page = JSON.parse(JSON.stringify(dehydrate(server)));
    const { queryKey } = trpc.posts.queryOptions();

    const browser = openApp({
      manager,
      answers: new Answers(),
      client: { defaultOptions: { hydrate: { deserializeData: (data) => read(data) } } },
    });
    closing.push(() => browser.close());
    const { deserializeData: read } = carryFreshness({ answers: browser.answers });
    hydrate(browser.queryClient, page);
    browser.observe({ queryKey, queryFn: () => Promise.reject(new Error('no request is needed')), ...fresh });
    await browser.pass(10_000);
    expect(browser.queryClient.getQueryState(queryKey)).toMatchObject({ data: { rows: [1] }, status: 'success' });
    expect(browser.binding.status(queryKey).state).toBe('live');
    expect(manager.grants).toEqual([{ channel: ORG, token: expect.stringMatching(/^ey/) }]);
  });
});

describe('what is carried', () => {
  it.each([
    [null],
    [5],
    ['text'],
    [[1, 2]],
    [{ v: 2 }],
    [{ rt: [], v: 1, more: true }],
    [{ v: 1, rt: 2 }],
    [{ pages: [{}], pageParams: [0] }],
  ])('keeps data that only looks like it: %j', (data) => {
    expect(deserializeData(JSON.parse(JSON.stringify(serializeData(data))))).toEqual(data);
  });

  it('is bound by no query where it is malformed', async () => {
    const app = openApp();
    closing.push(() => app.close());
    const { deserializeData: read } = carryFreshness({ answers: app.answers });
    app.queryClient.setQueryData(['a'], read({ rt: { v: 1, watch: 'all' }, v: { a: 1 } }));
    app.queryClient.setQueryData(['b'], read({ rt: ['x', 'y', 'z'], v: { a: 1 } }));
    await app.pass(100);
    expect(app.queryClient.getQueryData(['a'])).toEqual({ a: 1 });
    expect(app.binding.status(['a']).detail).toBe('unbound');
  });

  it('needs no query client to be read', () => {
    expect(new QueryClient({ defaultOptions: { hydrate: { deserializeData } } })).toBeDefined();
  });
});

describe('a persisted cache', () => {
  /** A tab that was closed with its cache in storage, and the next one, which restores it. */
  async function reopen(between: (app: ReturnType<typeof open>) => void = () => {}) {
    const all = open(null);
    const { server: before, browser: after, manager } = all;
    before.observe(itemOf(before));
    await before.pass(100);
    expect(before.binding.status(itemOf(before).queryKey).state).toBe('live');
    vi.stubGlobal('window', {});
    const stored = JSON.stringify(dehydrate(before.queryClient));
    vi.unstubAllGlobals();
    before.close();
    manager.grants.length = 0;
    all.backend.runs.clear();
    between(all);
    hydrate(after.queryClient, JSON.parse(stored));
    after.observe(itemOf(after));
    return { ...all, stored, after, status: () => after.binding.status(itemOf(after).queryKey) };
  }

  it('holds no grant: a token must not lie in a storage', async () => {
    const { stored, manager, after } = await reopen();
    expect(stored).toContain(ORG);
    expect(stored).not.toContain('grant');
    await after.pass(100);
    expect(manager.grants).toEqual([]);
  });

  it('is not called live before its channels are joined, and needs no read where nothing changed', async () => {
    const { status, after, manager, backend } = await reopen(({ manager }) => {
      manager.isConnected = false;
    });
    await after.pass(100);
    expect(status()).toMatchObject({ state: 'unknown', detail: 'uncovered' });
    manager.rejoin('unrecovered');
    await after.pass(1_000);
    expect(status().state).toBe('live');
    expect(backend.runs.get('item')).toBe(undefined);
  });

  it.each<[string, (all: ReturnType<typeof open>) => void]>([
    ['something changed meanwhile', ({ manager }) => void manager.append(ORG, INVALIDATE)],
    ['the broker lost its memory', ({ manager }) => manager.newEpoch(ORG, 'another')],
  ])('is read once where %s', async (_, between) => {
    const { status, after, backend } = await reopen(between);
    await after.pass(5_000);
    expect(status().state).toBe('live');
    expect(backend.runs.get('item')).toBe(1);
  });

  it('is read once where its channel is refused without a grant, and says that it is not covered', async () => {
    const { status, after, backend } = await reopen(({ manager }) => manager.refused.set(ORG, null));
    await after.pass(20_000);
    expect(backend.runs.get('item')).toBe(1);
    expect(status().state).toBe('unknown');
  });
});
