import { InfiniteQueryObserver, QueryClient, skipToken } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink, type Operation, type TRPCLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { describe, expect, it } from 'vitest';
import { type BackendRouter, createBackend } from '../../test/trpc-backend.ts';
import { isInputOf, procedureOf } from './query-key.ts';

function open(keyPrefix?: string) {
  const backend = createBackend();
  const ops: Operation[] = [];
  const spy: TRPCLink<BackendRouter> =
    () =>
    ({ op, next }) => {
      ops.push(op);
      return next(op);
    };
  const client = createTRPCClient<BackendRouter>({
    links: [spy, httpBatchLink({ url: 'http://test.local/api/trpc', fetch: backend.fetch })],
  });
  const queryClient = new QueryClient();
  const options = { client, queryClient, ...(keyPrefix !== undefined && { keyPrefix }) };
  const trpc = createTRPCOptionsProxy<BackendRouter>(
    options as Parameters<typeof createTRPCOptionsProxy<BackendRouter>>[0],
  );
  return { backend, ops, queryClient, trpc };
}

const PAGES = { getNextPageParam: ({ next }: { next: number }) => next };

describe.each([
  ['without a prefix', undefined],
  ['with a prefix', 'p'],
])('keys that tRPC makes, %s', (_, keyPrefix) => {
  it.each([
    ['an object', (trpc: ReturnType<typeof open>['trpc']) => trpc.item.queryOptions({ id: '1' }), 'item', { id: '1' }],
    ['a primitive', (trpc: ReturnType<typeof open>['trpc']) => trpc.byText.queryOptions('x'), 'byText', 'x'],
    ['nothing', (trpc: ReturnType<typeof open>['trpc']) => trpc.value.queryOptions(), 'value', undefined],
    ['skipToken', (trpc: ReturnType<typeof open>['trpc']) => trpc.byText.queryOptions(skipToken), 'byText', undefined],
    [
      'a nested path',
      (trpc: ReturnType<typeof open>['trpc']) => trpc.nested.deep.queryOptions(),
      'nested.deep',
      undefined,
    ],
    [
      'pages',
      (trpc: ReturnType<typeof open>['trpc']) => trpc.pages.infiniteQueryOptions({ limit: 2, cursor: 3 }, PAGES),
      'pages',
      { limit: 2 },
    ],
  ] as const)('name path and input: %s', (_what, options, path, input) => {
    const { queryKey } = options(open(keyPrefix).trpc);
    expect(procedureOf(queryKey)).toEqual({ path, input });
  });

  it('of paths and mutations name none', () => {
    const { trpc } = open(keyPrefix);
    expect(procedureOf(trpc.nested.pathKey())).toBeNull();
    expect(procedureOf(trpc.pathKey())).toBeNull();
    expect(procedureOf(trpc.save.mutationKey())).toBeNull();
  });

  it('have the input that the link sees', async () => {
    const { backend, trpc, queryClient, ops } = open(keyPrefix);
    backend.items.set('x', 'text');
    const queries = [
      trpc.item.queryOptions({ id: '1' }),
      trpc.item.queryOptions({ id: '2' }),
      trpc.byText.queryOptions('x'),
      trpc.nested.deep.queryOptions(),
    ];
    for (const query of queries) await queryClient.prefetchQuery(query as never);
    expect(ops).toHaveLength(queries.length);
    for (const [at, { queryKey }] of queries.entries()) {
      const procedure = procedureOf(queryKey);
      expect(ops.map((op) => op.path === procedure?.path && isInputOf(procedure.input, op.input))).toEqual(
        queries.map((_query, other) => other === at),
      );
    }
  });

  it('of pages have the input that the link sees, whatever the page', async () => {
    const { trpc, queryClient, ops } = open(keyPrefix);
    const query = trpc.pages.infiniteQueryOptions({ limit: 2 }, PAGES);
    const observer = new InfiniteQueryObserver(queryClient, query as never);
    await observer.fetchNextPage();
    await observer.fetchNextPage();
    expect(ops.map((op) => op.input)).toEqual([
      { limit: 2, direction: 'forward' },
      { limit: 2, cursor: 2, direction: 'forward' },
    ]);
    for (const { input } of ops) expect(isInputOf(procedureOf(query.queryKey)?.input, input)).toBe(true);
    const other = trpc.pages.infiniteQueryOptions({ limit: 3 }, PAGES);
    for (const { input } of ops) expect(isInputOf(procedureOf(other.queryKey)?.input, input)).toBe(false);
  });
});

describe('keys of the app', () => {
  it.each([
    [['todos']],
    [['todos', { page: 1 }]],
    [['todos', 5, { type: 'open' }]],
    [[]],
    [[null, null]],
    [[['a'], null]],
    [[['a'], 'b']],
    [[{ a: 1 }]],
  ])('name no procedure: %j', (key: readonly unknown[]) => {
    expect(procedureOf(key)).toBeNull();
  });
});

describe('inputs', () => {
  const object = { deep: {} };
  it.each([
    [undefined, undefined, true],
    [null, null, true],
    [Number.NaN, Number.NaN, true],
    [object, object, true],
    [object, { ...object, cursor: 5, direction: 'forward' }, true],
    [undefined, { cursor: 5, direction: 'forward' }, true],
    [object, { deep: {} }, false],
    [object, { ...object, more: 1 }, false],
    [{ ...object, more: 1 }, object, false],
    ['x', 'y', false],
    ['x', undefined, false],
    [undefined, 'x', false],
  ])('%j and %j belong together: %j', (keyInput, input, expected) => {
    expect(isInputOf(keyInput, input)).toBe(expected);
  });
});
