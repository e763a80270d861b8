import { bindQueryClient } from '@op/realtime/query';
import { createTestRealtime, type TestRealtime } from '@op/realtime/testing';
import { realtimeLink } from '@op/realtime/trpc/client';
import { initRealtime, realtimeContext } from '@op/realtime/trpc/server';
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCQueryUtils, createTRPCReact, getQueryKey } from '@trpc/react-query';
import { initTRPC } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/eventually.ts';

let realtime: TestRealtime;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
  realtime.dispose();
});
const until = (condition: () => void) =>
  eventually(async () => {
    await realtime.advance(100);
    condition();
  });

function open() {
  realtime = createTestRealtime();
  const { base, watches, touches } = initRealtime({
    userId: () => '7',
    spread: () => 0,
    // A server that sees the broker in memory.
    realtime: {
      publish: async (channel: `trpc:${string}`, message: never) => ({ position: realtime.publish(channel, message) }),
      positions: async (channels: readonly string[]) =>
        new Map(channels.map((channel) => [channel, realtime.broker.position(channel)])),
      createChannelToken: async ({ userId, channel }: { userId: string; channel: `trpc:${string}` }) =>
        realtime.grant(userId, channel).token,
    } as never,
  });
  const t = initTRPC.context<object>().create({ isServer: true, allowOutsideOfServer: true });
  const procedure = t.procedure.use(base as never).input(z.object({ org: z.string() }));
  const watched = procedure.use(watches(({ input }: { input: { org: string } }) => `trpc:org:${input.org}`) as never);
  const rows: string[] = [];
  let reads = 0;
  const router = t.router({
    rows: watched.query(() => {
      reads++;
      return { rows: [...rows] };
    }),
    count: watched.query(() => rows.length),
    pages: watched
      .input(z.object({ cursor: z.number().optional(), direction: z.string().optional() }))
      .query(({ input }) => ({ at: (input as { cursor?: number }).cursor ?? 0 })),
    add: procedure
      .use(touches(({ input }: { input: { org: string } }) => `trpc:org:${input.org}`) as never)
      .mutation(() => rows.push('row')),
  });
  const fetch = (url: RequestInfo | URL | string, init?: object) => {
    const req = new Request(url, init);
    return fetchRequestHandler({
      endpoint: '/trpc',
      req,
      router,
      createContext: ({ info }) => realtimeContext({ req, info: info as never }),
    });
  };
  const link = realtimeLink((rt) => httpBatchLink({ url: 'http://test.local/trpc', fetch, ...rt }) as never);
  const client = createTRPCClient<typeof router>({ links: [link as never] });
  const queryClient = new QueryClient();
  const { manager } = realtime.createClient({ userId: '7' });
  const binding = bindQueryClient(queryClient, manager, { clock: realtime.clock });
  const trpc = createTRPCReact<typeof router>();
  const utils = createTRPCQueryUtils({ queryClient, client });
  closing.push(() => binding.dispose());
  return { client, queryClient, binding, trpc, utils, reads: () => reads };
}

describe('the classic hooks', () => {
  it('are bound by their own keys, objects and numbers alike, and the echo of an own mutation is free', async () => {
    const { client, queryClient, binding, trpc, utils, reads } = open();
    const rowsKey = getQueryKey(trpc.rows, { org: '1' }, 'query');
    const countKey = getQueryKey(trpc.count, { org: '1' }, 'query');
    const staleTime = Number.POSITIVE_INFINITY;
    const queries = [utils.rows.queryOptions({ org: '1' }), utils.count.queryOptions({ org: '1' })];
    expect(queries.map(({ queryKey }) => queryKey)).toEqual([rowsKey, countKey]);
    for (const query of queries)
      closing.push(
        new QueryObserver(queryClient, { ...(query as object), queryKey: query.queryKey, staleTime }).subscribe(
          () => {},
        ),
      );
    await until(() => expect(binding.status(rowsKey).state).toBe('live'));
    await until(() => expect(binding.status(countKey).state).toBe('live'));
    const before = reads();
    await client.add.mutate({ org: '1' });
    await until(() => {
      expect(queryClient.getQueryData(rowsKey)).toEqual({ rows: ['row'] });
      expect(queryClient.getQueryData(countKey)).toBe(1);
      expect(binding.status(rowsKey).state).toBe('live');
    });
    expect(reads() - before).toBe(1);
  });

  it('bind the pages of an infinite query', async () => {
    const { binding, trpc, utils } = open();
    await utils.pages.prefetchInfinite({ org: '1' });
    const key = getQueryKey(trpc.pages, { org: '1' }, 'infinite');
    await until(() => expect(binding.status(key).detail).toBe('uncovered'));
  });
});
