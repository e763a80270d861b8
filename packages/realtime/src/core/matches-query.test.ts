import { hashKey, partialMatchKey } from '@tanstack/query-core';
import { QueryClient } from '@tanstack/react-query';
import { createTRPCClient, httpLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { matchesQuery } from './matches-query.ts';
import type { QueryKey } from './message.ts';

/** Small alphabet, so that keys often resemble each other. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1, 'a', 'b', ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'type', '__proto__'), tie('value'), { maxKeys: 2 }),
  ),
})).value;
/** Never a list of strings, nor with one in first place, so that the rule for tRPC's paths stays out of it. */
const keyWithoutPaths = fc.array(json, { maxLength: 4 }).map((key) => [0, ...key]) as fc.Arbitrary<unknown[]>;

describe('the rule of TanStack Query', () => {
  it('matches as partialMatchKey does', () => {
    fc.assert(
      fc.property(keyWithoutPaths, keyWithoutPaths, (queryKey, filter) => {
        expect(matchesQuery({ queryKey: filter }, queryKey)).toBe(partialMatchKey(queryKey, filter));
      }),
      { numRuns: 2000 },
    );
  });

  it('matches a part of the key, whichever part was left out', () => {
    fc.assert(
      fc.property(keyWithoutPaths, fc.nat(4), (queryKey, length) => {
        expect(matchesQuery({ queryKey: queryKey.slice(0, length) }, queryKey)).toBe(true);
      }),
    );
  });

  it('with exact matches what has the same hash', () => {
    fc.assert(
      fc.property(keyWithoutPaths, keyWithoutPaths, (queryKey, filter) => {
        // hashKey itself loses a key of this name.
        fc.pre(!JSON.stringify([queryKey, filter]).includes('__proto__'));
        // An empty list and an empty object are the one thing that we do not tell apart: at worst a refetch too many.
        const hash = (key: QueryKey) => hashKey(key).replaceAll('{}', '[]');
        expect(matchesQuery({ queryKey: filter, exact: true }, queryKey)).toBe(hash(queryKey) === hash(filter));
      }),
      { numRuns: 2000 },
    );
    const key = ['a', { b: 1, c: 2 }];
    expect(matchesQuery({ queryKey: ['a', { c: 2, b: 1 }], exact: true }, key)).toBe(true);
    expect(matchesQuery({ queryKey: ['a'], exact: true }, key)).toBe(false);
  });

  const overTheWire: [string, QueryKey][] = [
    ['a Date', ['a', { since: new Date(0) }]],
    ['undefined in a list', ['a', undefined]],
    ['undefined in an object', ['a', { b: undefined }]],
    ['a Date and more behind it', ['a', new Date(0), 'b']],
    ['an object with a toJSON of its own', ['a', { toJSON: () => 'x' }]],
  ];
  it.each(overTheWire)('matches a key with %s after it has travelled as JSON', (_, queryKey) => {
    const message = JSON.parse(JSON.stringify({ queryKey }));
    expect(matchesQuery(message, queryKey)).toBe(true);
    expect(matchesQuery({ ...message, exact: true }, queryKey)).toBe(true);
  });

  it('tells two dates apart', () => {
    const message = JSON.parse(JSON.stringify({ queryKey: ['a', new Date(0)] }));
    expect(matchesQuery(message, ['a', new Date(1)])).toBe(false);
  });
});

describe('the rule for tRPC', () => {
  const t = initTRPC.create();
  const input = z.object({ page: z.number(), filter: z.string().optional() });
  const router = t.router({
    user: t.router({
      notifications: t.procedure.input(input).query(() => []),
      settings: t.procedure.query(() => null),
      feed: t.procedure.input(z.object({ cursor: z.string().optional() })).query(() => []),
    }),
    users: t.procedure.query(() => []),
  });
  const client = createTRPCClient<typeof router>({ links: [httpLink({ url: 'http://localhost' })] });
  const keysOf = (keyPrefix?: string) => {
    const options = { client, queryClient: new QueryClient(), ...(keyPrefix && { keyPrefix }) };
    const trpc = createTRPCOptionsProxy<typeof router>(
      options as Parameters<typeof createTRPCOptionsProxy<typeof router>>[0],
    );
    return {
      notifications: trpc.user.notifications.queryKey({ page: 1, filter: 'new' }),
      settings: trpc.user.settings.queryKey(),
      infinite: trpc.user.feed.infiniteQueryKey({}),
      users: trpc.users.queryKey(),
      userPath: trpc.user.pathKey(),
    } satisfies Record<string, QueryKey>;
  };
  const plain = keysOf();
  const prefixed = keysOf('app');

  it.each([
    ['without a key prefix', plain],
    ['with one', prefixed],
  ])('matches the real keys by path, %s', (_, keys) => {
    const matches = (...queryKey: unknown[]) =>
      Object.entries(keys).flatMap(([name, key]) => (matchesQuery({ queryKey }, key) ? [name] : []));
    expect(matches('user', 'notifications')).toEqual(['notifications']);
    expect(matches('user')).toEqual(['notifications', 'settings', 'infinite', 'userPath']);
    expect(matches('users')).toEqual(['users']);
    expect(matches('user', 'feed')).toEqual(['infinite']);
    expect(matches('use')).toEqual([]);
    expect(matches('user', 'notifications', 'more')).toEqual([]);
    expect(matches('notifications')).toEqual([]);
  });

  it('matches a whole key of tRPC, whatever prefix the client uses', () => {
    const page = (n: number): QueryKey => [['user', 'notifications'], { input: { page: n }, type: 'query' }];
    expect(matchesQuery({ queryKey: page(1) }, plain.notifications)).toBe(true);
    expect(matchesQuery({ queryKey: page(1) }, prefixed.notifications)).toBe(true);
    expect(matchesQuery({ queryKey: page(2) }, plain.notifications)).toBe(false);
    expect(matchesQuery({ queryKey: page(2) }, prefixed.notifications)).toBe(false);
    expect(matchesQuery({ queryKey: plain.notifications, exact: true }, plain.notifications)).toBe(true);
    expect(matchesQuery({ queryKey: plain.notifications, exact: true }, prefixed.notifications)).toBe(false);
  });

  it('everything matches the empty key', () => {
    expect(matchesQuery({ queryKey: [] }, plain.users)).toBe(true);
    expect(matchesQuery({ queryKey: [] }, ['todos'])).toBe(true);
  });

  it("a key of the app's own, made of strings, is matched by TanStack's rule as well", () => {
    expect(matchesQuery({ queryKey: ['todos'] }, ['todos', 7])).toBe(true);
    expect(matchesQuery({ queryKey: ['todos', 'x'] }, ['todos', 7])).toBe(false);
  });
});
