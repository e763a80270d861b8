import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../../test/eventually.ts';
import { hasLane } from '../../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../../test/postgres.ts';
import { API_KEY, brokerKinds, SECRET } from '../../test/brokers.ts';
import { inTransaction } from '../../test/in-transaction.ts';
import { Switch } from '../../test/switch.ts';
import { TrpcApp } from '../../test/trpc-app.ts';
import { RealtimeManager } from '../client/index.node.ts';
import { Channels } from '../core/channel.ts';
import { Answers } from '../query/answers.ts';
import { bindQueryClient } from '../query/index.ts';
import { createRealtime } from '../server/create-realtime.ts';
import { realtimeLink } from '../trpc/client/index.ts';
import { initRealtime, realtimeContext, realtimeRouter } from '../trpc/server/index.ts';
import { migrateOutbox, publishInTransaction, startOutboxRelay } from './index.ts';

/** Everything real: PostgreSQL, relay, tRPC server, broker, sockets, link, query clients. */

const folder = findPostgres();
const ORG = Channels.org('1');
const FRESH = { staleTime: Number.POSITIVE_INFINITY };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(!hasLane('postgres', folder))('mutations that announce in their transaction', () => {
  let cluster: PostgresCluster;
  let pool: pg.Pool;
  beforeAll(async () => {
    cluster = await startPostgres(folder!);
    pool = new pg.Pool({ connectionString: cluster.url });
    pool.on('error', () => {}); // the server may end before the last connection does
    await migrateOutbox(pool);
    await pool.query('CREATE TABLE posts (id serial PRIMARY KEY, body text NOT NULL)');
  });
  afterAll(async () => {
    await pool?.end();
    await cluster?.close();
  });

  async function start() {
    await pool.query('TRUNCATE posts, realtime_outbox');
    const broker = await brokerKinds()[0]!.start();
    closing.push(() => broker.close());
    const realtime = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET, spread: () => 0 });
    const relay = startOutboxRelay({ database: pool, realtime });
    closing.push(() => relay.stop());
    const t = initTRPC.context<object>().create();
    const rt = initRealtime({ realtime, userId: () => 'ann', stampTimeoutMs: 5000 });
    const base = t.procedure.use(rt.base);
    const transactional = base.use(({ next }) => inTransaction(pool, (tx) => next({ ctx: { tx } })));
    let reads = 0;
    const input = z.object({ body: z.string(), fails: z.boolean().default(false) });
    const router = t.router({
      realtime: realtimeRouter({ procedure: t.procedure, userId: () => 'ann', canSubscribe: () => true, realtime }),
      posts: base.use(rt.watches(() => ORG)).query(async () => {
        reads += 1;
        return (await pool.query('SELECT body FROM posts ORDER BY id')).rows.map(({ body }) => String(body));
      }),
      add: transactional
        .input(input)
        .use(rt.touches(() => ORG, { transaction: ({ ctx }) => ctx.tx }))
        .mutation(async ({ ctx, input: { body, fails } }) => {
          await ctx.tx.query('INSERT INTO posts (body) VALUES ($1)', [body]);
          if (fails) throw new Error('refused');
        }),
      /** The transaction is the resolver's own. */
      addByHand: base.input(input).mutation(async ({ input: { body } }) => {
        const tx = await pool.connect();
        try {
          await tx.query('BEGIN');
          await tx.query('INSERT INTO posts (body) VALUES ($1)', [body]);
          await publishInTransaction(tx, ORG, { type: 'channel-invalidation' });
          await tx.query('COMMIT');
        } finally {
          tx.release();
        }
      }),
    });
    const app = new TrpcApp(router, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
    closing.push(() => app.close());

    const openTab = () => {
      const answers = new Answers();
      const client = createTRPCClient<typeof router>({
        links: [
          realtimeLink(
            (own) => httpBatchLink({ url: 'http://test.local/api/trpc', fetch: app.fetch, headers: own.headers }),
            { answers },
          ),
        ],
      });
      const queryClient = new QueryClient();
      const manager = new RealtimeManager({
        wsUrl: broker.wsUrl,
        getToken: async () => (await client.realtime.getToken.query()).token,
        onError: () => {},
      });
      const binding = bindQueryClient(queryClient, manager, { answers, windowMs: 5, focusManager: new Switch() });
      const options = createTRPCOptionsProxy<typeof router>({ client, queryClient }).posts.queryOptions(
        undefined,
        FRESH,
      );
      const end = new QueryObserver(queryClient, options).subscribe(() => {});
      closing.push(() => {
        end();
        binding.dispose();
        manager.dispose();
        queryClient.clear();
      });
      const shows = () => [binding.status(options.queryKey).state, queryClient.getQueryData(options.queryKey)];
      return { client, shows };
    };
    const tabs = [openTab(), openTab()] as const;
    await eventually(() => {
      for (const tab of tabs) expect(tab.shows()).toEqual(['live', []]);
      expect(relay.status.state).toBe('idle');
    });
    return { tabs, relay, realtime, reads: () => reads };
  }

  it('refetch the other tab once, and their own at once, and at most once more at the echo', async () => {
    const { tabs, relay, reads } = await start();
    const before = reads();
    await tabs[0].client.add.mutate({ body: 'hello' });
    await eventually(() => {
      expect(relay.status.published).toBe(1);
      for (const tab of tabs) expect(tab.shows()).toEqual(['live', ['hello']]);
    });
    expect(reads() - before).toBeGreaterThanOrEqual(2);
    expect(reads() - before).toBeLessThanOrEqual(3);
  });

  it('announce from a resolver that has the transaction itself', async () => {
    const { tabs, relay } = await start();
    await tabs[0].client.addByHand.mutate({ body: 'hello' });
    await eventually(() => {
      expect(relay.status.published).toBe(1);
      for (const tab of tabs) expect(tab.shows()).toEqual(['live', ['hello']]);
    });
  });

  it('announce nothing when they roll back', async () => {
    const { tabs, relay, realtime, reads } = await start();
    const before = reads();
    await expect(tabs[0].client.add.mutate({ body: 'undone', fails: true })).rejects.toThrow('refused');
    // What is committed after it passes it: had it been written, it would be first.
    await tabs[0].client.add.mutate({ body: 'kept' });
    await eventually(() => {
      for (const tab of tabs) expect(tab.shows()).toEqual(['live', ['kept']]);
      expect(relay.status.published).toBe(1);
    });
    expect((await realtime.history(ORG)).position.offset).toBe(1);
    expect(reads() - before).toBeLessThanOrEqual(3);
  });

  it('wait in the table while no relay runs, and the own tab shows them all the same', async () => {
    const { tabs, relay, realtime } = await start();
    await relay.stop();
    await tabs[0].client.add.mutate({ body: 'hello' });
    await eventually(() => expect(tabs[0].shows()[1]).toEqual(['hello']));
    expect(tabs[1].shows()).toEqual(['live', []]);
    const next = startOutboxRelay({ database: pool, realtime });
    closing.push(() => next.stop());
    await eventually(() => expect(tabs[1].shows()).toEqual(['live', ['hello']]));
  });
});
