import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client';
import { initTRPC, TRPCError } from '@trpc/server';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../../test/eventually.ts';
import { API_KEY, brokerKinds, SECRET } from '../../test/brokers.ts';
import { Switch } from '../../test/switch.ts';
import { TrpcApp } from '../../test/trpc-app.ts';
import { RealtimeManager } from '../client/index.node.ts';
import { Channels } from '../core/channel.ts';
import { createRealtime } from '../server/create-realtime.ts';
import { realtimeLink } from '../trpc/client/index.ts';
import { initRealtime, noStamp, realtimeContext, realtimeRouter } from '../trpc/server/index.ts';
import { Answers } from './answers.ts';
import { bindQueryClient } from './index.ts';

/** Everything real: tRPC server with `watches` and `touches`, broker, sockets, link, query clients. */

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const FRESH = { staleTime: Number.POSITIVE_INFINITY };

async function start(kind: ReturnType<typeof brokerKinds>[number]) {
  const broker = await kind.start();
  closing.push(() => broker.close());
  const realtime = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET });
  interface Context {
    readonly userId: string;
  }
  const t = initTRPC.context<Context>().create();
  const rt = initRealtime<Context>({
    realtime,
    userId: (ctx) => ctx.userId,
    stampTimeoutMs: 5_000,
    positionWaitMs: 5_000,
  });
  const base = t.procedure.use(rt.base);
  const members = new Map([['1', new Set(['ann', 'bob'])]]);
  const posts = new Map<string, string[]>([['1', []]]);
  let reads = 0;
  const org = base.input(z.object({ org: z.string() })).use(rt.watches(({ input }) => Channels.org(input.org)));
  const router = t.router({
    realtime: realtimeRouter({
      procedure: t.procedure,
      userId: ({ ctx }) => ctx.userId,
      canSubscribe: ({ channel, userId }) => members.get(channel.split(':')[2] ?? '')?.has(userId) ?? false,
      realtime,
    }),
    posts: org.query(({ ctx, input }) => {
      reads++;
      if (!members.get(input.org)?.has(ctx.userId)) throw new TRPCError({ code: 'FORBIDDEN' });
      return { rows: [...(posts.get(input.org) ?? [])] };
    }),
    count: org.query(({ input }) => posts.get(input.org)?.length ?? 0),
    unsure: org.query(({ ctx, input }) => {
      noStamp(ctx);
      reads++;
      return posts.get(input.org)?.length ?? 0;
    }),
    add: base
      .input(z.object({ org: z.string(), text: z.string() }))
      .use(rt.touches(({ input }) => Channels.org(input.org)))
      .mutation(({ input }) => posts.get(input.org)?.push(input.text)),
  });
  const app = new TrpcApp(router, {
    createContext: ({ req, info }): Context => {
      const userId = req ? ((req.headers as Headers).get('x-user') ?? '') : '';
      return { userId, ...realtimeContext({ req, info }) };
    },
  });
  closing.push(() => app.close());

  function openTab(userId: string) {
    const answers = new Answers();
    const client = createTRPCClient<typeof router>({
      links: [
        realtimeLink(
          (own) =>
            httpBatchStreamLink({
              url: 'http://test.local/api/trpc',
              fetch: app.fetch,
              headers: () => ({ 'x-user': userId, ...own.headers() }),
            }),
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
    const focus = new Switch();
    const binding = bindQueryClient(queryClient, manager, { answers, windowMs: 5, focusManager: focus });
    const trpc = createTRPCOptionsProxy<typeof router>({ client, queryClient });
    closing.push(() => {
      binding.dispose();
      manager.dispose();
      queryClient.clear();
    });
    // biome-ignore lint/suspicious/noExplicitAny: the options of any query
    const observe = (query: any) => {
      const end = new QueryObserver(queryClient, query).subscribe(() => {});
      closing.push(end);
      return query.queryKey as readonly unknown[];
    };
    return { client, queryClient, manager, binding, focus, trpc, observe };
  }
  return { broker, realtime, openTab, posts, members, reads: () => reads };
}

describe.each(brokerKinds().map((kind) => ({ kind, name: kind.name })))('two tabs on the $name broker', ({ kind }) => {
  it('show what the other one wrote, each with one more read', async () => {
    const { openTab, reads } = await start(kind);
    const [ann, bob] = [openTab('ann'), openTab('bob')];
    const keys = [ann, bob].map((tab) => tab.observe(tab.trpc.posts.queryOptions({ org: '1' }, FRESH)));
    await eventually(() => {
      expect(ann.binding.status(keys[0] ?? []).state).toBe('live');
      expect(bob.binding.status(keys[1] ?? []).state).toBe('live');
    });
    const before = reads();
    await ann.client.add.mutate({ org: '1', text: 'hello' });
    await eventually(() => {
      for (const tab of [ann, bob]) {
        expect(tab.queryClient.getQueryData<unknown>(keys[0] ?? [])).toEqual({ rows: ['hello'] });
        expect(tab.binding.status(keys[0] ?? []).state).toBe('live');
      }
    });
    // Live says that the echo has nothing left to ask for.
    expect(reads() - before).toBe(2);
  });

  it('bind a number too, in the same batch', async () => {
    const { openTab } = await start(kind);
    const [ann, bob] = [openTab('ann'), openTab('bob')];
    const key = ann.observe(ann.trpc.count.queryOptions({ org: '1' }, FRESH));
    ann.observe(ann.trpc.posts.queryOptions({ org: '1' }, FRESH));
    await eventually(() => expect(ann.binding.status(key).state).toBe('live'));
    await bob.client.add.mutate({ org: '1', text: 'hello' });
    await eventually(() => expect(ann.queryClient.getQueryData<unknown>(key)).toBe(1));
  });

  it('need one more read at the join where the server could not stamp', async () => {
    const { openTab, reads } = await start(kind);
    const ann = openTab('ann');
    const key = ann.observe(ann.trpc.unsure.queryOptions({ org: '1' }, FRESH));
    await eventually(() => expect(ann.binding.status(key).state).toBe('live'));
    expect(reads()).toBe(2);
  });

  it('read once what happened while nobody looked', async () => {
    const { openTab, reads } = await start(kind);
    const [ann, bob] = [openTab('ann'), openTab('bob')];
    const key = ann.observe(ann.trpc.posts.queryOptions({ org: '1' }, FRESH));
    await eventually(() => expect(ann.binding.status(key).state).toBe('live'));
    const before = reads();
    ann.focus.set(false);
    let heard = 0;
    closing.push(ann.manager.subscribe(Channels.org('1'), () => heard++));
    for (const text of ['a', 'b', 'c']) await bob.client.add.mutate({ org: '1', text });
    await eventually(() => expect(heard).toBe(3));
    expect(ann.queryClient.getQueryState(key)?.isInvalidated).toBe(true);
    expect(reads()).toBe(before);
    ann.focus.set(true);
    await eventually(() => {
      expect(ann.queryClient.getQueryData<unknown>(key)).toEqual({ rows: ['a', 'b', 'c'] });
      expect(ann.binding.status(key).state).toBe('live');
    });
    expect(reads() - before).toBe(1);
  });

  it('that may not read join nothing, and learn nothing', async () => {
    const { openTab, members, realtime } = await start(kind);
    const eve = openTab('eve');
    const key = eve.observe(eve.trpc.posts.queryOptions({ org: '1' }, { ...FRESH, retry: false }));
    await eventually(() => expect(eve.queryClient.getQueryState(key)?.status).toBe('error'));
    expect(eve.binding.status(key).detail).toBe('unbound');
    expect(eve.manager.status.state).toBe('idle');
    // Once a member, the next answer brings all that is needed.
    members.get('1')?.add('eve');
    await eve.queryClient.refetchQueries({ queryKey: key });
    await eventually(() => expect(eve.binding.status(key).state).toBe('live'));
    await realtime.publish(Channels.org('1'), { type: 'channel-invalidation' });
    await eventually(() => expect(eve.binding.status(key).state).toBe('live'));
  });

  it('lose a channel that is taken away, and say so', async () => {
    const { openTab, members, realtime } = await start(kind);
    const ann = openTab('ann');
    const key = ann.observe(ann.trpc.posts.queryOptions({ org: '1' }, { ...FRESH, retry: false }));
    await eventually(() => expect(ann.binding.status(key).state).toBe('live'));
    members.get('1')?.delete('ann');
    await realtime.revoke('ann', Channels.org('1'));
    await eventually(() => expect(ann.binding.status(key).state).not.toBe('live'));
    expect(ann.queryClient.getQueryData<unknown>(key)).toEqual({ rows: [] });
  });
});
