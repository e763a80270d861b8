import { InfiniteQueryObserver, MutationObserver, type Query, QueryClient, QueryObserver } from '@tanstack/query-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { turn } from '../../test/bound-app.ts';
import { piecesOf } from './pieces.ts';
import { findQuery, followMutations, followQueries, hasKeptPages, hasPendingMutation, portOf } from './query-cache.ts';

const KEY = ['k'];
let client: QueryClient;
let log: string[];
let raws: unknown[];

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  log = [];
  raws = [];
});

function follow() {
  const note = (name: string) => (query: Query) => log.push(`${name} ${query.queryHash}`);
  return followQueries(client, {
    added: note('added'),
    removed: note('removed'),
    used: note('used'),
    fetching: note('fetching'),
    succeeded(query, raw) {
      log.push(`succeeded ${query.queryHash}`);
      raw?.then((value) => raws.push(value));
    },
    failed: note('failed'),
    written: note('written'),
    replaced: note('replaced'),
  });
}

const query = () => findQuery(client, KEY)!;
const fetch = (queryFn: () => unknown, options: object = {}) =>
  client.fetchQuery({ queryKey: KEY, queryFn, ...options });

describe('queries that are followed', () => {
  it('say that they begin and succeed, once per fetch', async () => {
    follow();
    await fetch(() => 1);
    await fetch(() => 2);
    expect(log).toEqual(['added ["k"]', 'fetching ["k"]', 'succeeded ["k"]', 'fetching ["k"]', 'succeeded ["k"]']);
    expect(raws).toEqual([1, 2]);
  });

  it('begin once for all retries', async () => {
    follow();
    let attempts = 0;
    await fetch(() => (++attempts < 3 ? Promise.reject(new Error('no')) : attempts), { retry: 5, retryDelay: 0 });
    expect(log).toEqual(['added ["k"]', 'fetching ["k"]', 'succeeded ["k"]']);
  });

  it('fail', async () => {
    follow();
    await fetch(() => Promise.reject(new Error('no'))).catch(() => {});
    expect(log).toEqual(['added ["k"]', 'fetching ["k"]', 'failed ["k"]']);
  });

  it('bring the raw answer, though equal data keeps its reference', async () => {
    follow();
    const first = { a: 1 };
    const second = { a: 1 };
    await fetch(() => first);
    await fetch(() => second);
    expect(client.getQueryData(KEY)).toBe(first);
    expect(raws[1]).toBe(second);
  });

  it('begin again where a fetch replaces another, and the replaced one says nothing more', async () => {
    client.setQueryData(KEY, 0);
    follow();
    let release = (_value: number) => {};
    const slow = new Promise<number>((resolve) => {
      release = resolve;
    });
    const first = fetch(() => slow);
    const second = query().fetch({ queryKey: KEY, queryFn: () => 2 }, { cancelRefetch: true });
    release(1);
    await Promise.allSettled([first, second]);
    await turn();
    expect(log).toEqual(['added ["k"]', 'fetching ["k"]', 'fetching ["k"]', 'succeeded ["k"]']);
    expect(raws).toEqual([2]);
  });

  it('say that they were replaced, and are idle, where a fetch was cancelled', async () => {
    client.setQueryData(KEY, 0);
    follow();
    fetch(() => new Promise(() => {})).catch(() => {});
    await client.cancelQueries({ queryKey: KEY });
    expect(log).toEqual(['added ["k"]', 'fetching ["k"]', 'replaced ["k"]']);
    expect(query().state).toMatchObject({ fetchStatus: 'idle', data: 0 });
  });

  it('are told from written ones', async () => {
    follow();
    client.setQueryData(KEY, 1);
    expect(log).toEqual(['added ["k"]', 'written ["k"]']);
  });

  it('say when they are used, and when they go', async () => {
    follow();
    const observer = new QueryObserver(client, { queryKey: KEY, queryFn: () => 1, enabled: false });
    const end = observer.subscribe(() => {});
    observer.setOptions({ queryKey: KEY, queryFn: () => 1, enabled: true });
    await turn();
    end();
    client.removeQueries({ queryKey: KEY });
    expect(log.filter((entry) => !entry.includes('fetching') && !entry.includes('succeeded'))).toEqual([
      'added ["k"]',
      'used ["k"]',
      'used ["k"]',
      'used ["k"]',
      'removed ["k"]',
    ]);
  });

  it('include those that are there', () => {
    client.setQueryData(['idle'], 1);
    fetch(() => new Promise(() => {})).catch(() => {});
    follow();
    expect(log).toEqual(['added ["idle"]', 'added ["k"]']);
  });

  it('are not followed after the end', async () => {
    const end = follow();
    end();
    await fetch(() => 1);
    expect(log).toEqual([]);
  });
});

describe('what the refetcher may do with a query', () => {
  it('is to fetch it, marked, joining a fetch that runs', async () => {
    let reads = 0;
    await fetch(() => ++reads);
    const port = portOf(query());
    expect(port.isFetching()).toBe(false);
    port.fetch(false);
    expect(query().state.isInvalidated).toBe(true);
    expect(port.isFetching()).toBe(true);
    port.fetch(false);
    await turn();
    expect(reads).toBe(2);
    expect(query().state).toMatchObject({ data: 2, isInvalidated: false });
  });

  it('is to replace one that hangs', async () => {
    let reads = 0;
    client.setQueryData(KEY, 0);
    fetch(() => (++reads === 1 ? new Promise(() => {}) : reads)).catch(() => {});
    portOf(query()).fetch(true);
    await turn();
    expect(query().state).toMatchObject({ data: 2, fetchStatus: 'idle' });
  });

  it('never throws, and keeps the data and the mark where the fetch fails', async () => {
    let reads = 0;
    await fetch(() => (++reads > 1 ? Promise.reject(new Error('no')) : reads));
    portOf(query()).fetch(false);
    await turn();
    expect(query().state).toMatchObject({ data: 1, isInvalidated: true, fetchStatus: 'idle', status: 'error' });
  });

  it.each([
    ['not observed', null, false],
    ['observed', {}, true],
    ['disabled', { enabled: false }, false],
    ['static', { staleTime: 'static' }, false],
  ])('depends on its use: %s', async (_, options: object | null, expected) => {
    await fetch(() => 1);
    if (options) new QueryObserver(client, { queryKey: KEY, queryFn: () => 1, ...options }).subscribe(() => {});
    expect(portOf(query()).isActive()).toBe(expected);
  });

  it('marks without fetching', async () => {
    await fetch(() => 1);
    portOf(query()).mark();
    portOf(query()).mark();
    expect(query().state).toMatchObject({ isInvalidated: true, fetchStatus: 'idle' });
  });
});

describe('infinite queries', () => {
  it('have pages, and say whether they kept them', async () => {
    const kept: boolean[] = [];
    const observer = new InfiniteQueryObserver(client, {
      queryKey: KEY,
      queryFn: ({ pageParam }) => ({ page: pageParam }),
      initialPageParam: 0,
      getNextPageParam: (_page, _pages, last: number) => last + 1,
    });
    client.getQueryCache().subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'success') kept.push(hasKeptPages(event.query));
    });
    await observer.fetchNextPage();
    const [first] = piecesOf(query().state.data);
    await observer.fetchNextPage();
    await observer.refetch();
    expect(piecesOf(query().state.data)).toEqual([{ page: 0 }, { page: 1 }]);
    expect(piecesOf(query().state.data)[0]).toBe(first);
    expect(kept).toEqual([true, true, false]);
  });

  it.each([
    [null, []],
    [5, []],
    ['text', []],
    [[], []],
    [
      [1, { a: 2 }],
      [1, { a: 2 }],
    ],
    [{ a: 1, b: [2] }, [1, [2]]],
    [{ pages: [1] }, [[1]]],
    [{ pages: 1, pageParams: [] }, [1, []]],
    [{ pages: [1, 2], pageParams: [0, 1] }, [1, 2]],
  ])('are told from other data: %j', (data, pieces) => {
    expect(piecesOf(data)).toEqual(pieces);
  });
});

describe('finding a query', () => {
  it('uses the hash of the client', () => {
    const own = new QueryClient({ defaultOptions: { queries: { queryKeyHashFn: (key) => `own ${String(key[0])}` } } });
    own.setQueryData(KEY, 1);
    expect(findQuery(own, KEY)?.queryHash).toBe('own k');
    expect(findQuery(own, ['other'])).toBeUndefined();
  });
});

describe('mutations that are followed', () => {
  it('are over when the callbacks of the app are', async () => {
    const cache = client.getMutationCache();
    const seen: unknown[] = [];
    followMutations(cache, (failed) => seen.push([failed, hasPendingMutation(cache, true)]));
    const mutation = new MutationObserver(client, {
      mutationFn: async () => 1,
      onSuccess: async () => {
        await turn(2);
        seen.push('callback done');
      },
    });
    await mutation.mutate();
    const end = seen.indexOf('callback done');
    expect(end).toBeGreaterThan(0);
    expect(seen.slice(0, end)).not.toContainEqual([false, false]);
    expect(seen.slice(end + 1)).toContainEqual([false, false]);
  });

  it('say that they failed, after the rollback', async () => {
    const cache = client.getMutationCache();
    const seen: unknown[] = [];
    followMutations(cache, (failed) => failed && seen.push(['failed', hasPendingMutation(cache, true)]));
    const mutation = new MutationObserver(client, {
      mutationFn: () => Promise.reject(new Error('no')),
      onError: () => {
        seen.push('rolled back');
      },
    });
    await mutation.mutate().catch(() => {});
    expect(seen).toEqual(['rolled back', ['failed', false]]);
  });
});
