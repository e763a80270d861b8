import { Channels, isChannelName } from '@op/realtime';
import { realtime } from '@op/realtime/server';
import { initRealtime, realtimeContext, realtimeResponseMeta } from '@op/realtime/trpc/server';
import { initTRPC, TRPCError } from '@trpc/server';
import type { FetchCreateContextFnOptions } from '@trpc/server/adapters/fetch';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { z } from 'zod';

// The time limits are generous because the test counts requests, on slow machines too. `base`, `watches` and `touches` of the entry have the usual ones.
const { base, watches, touches } = initRealtime({ stampTimeoutMs: 10_000, positionWaitMs: 10_000 });

/** Whoever the header names: an example has no login. */
function createContext({ req, info }: FetchCreateContextFnOptions) {
  const userId = req.headers.get('x-user');
  return { userId, ...realtimeContext({ req, info, userId }) };
}

const t = initTRPC.context<typeof createContext>().create();
const authed = t.procedure.use(base).use(({ ctx, next }) => {
  if (!ctx.userId) throw new TRPCError({ code: 'UNAUTHORIZED' });
  return next({ ctx: { userId: ctx.userId } });
});
const inList = authed.input(z.object({ list: z.string() }));
const reading = inList.use(watches(({ input }) => Channels.org(input.list)));

const notes: { list: string; text: string; by: string }[] = [];

export const appRouter = t.router({
  notes: t.router({
    all: reading.query(({ input }) => notes.filter(({ list }) => list === input.list)),
    count: reading.query(({ input }) => notes.filter(({ list }) => list === input.list).length),
    add: inList
      .input(z.object({ text: z.string() }))
      .use(touches(({ input }) => Channels.org(input.list)))
      .mutation(({ ctx, input }) => {
        notes.push({ list: input.list, text: input.text, by: ctx.userId });
      }),
  }),
  // In an app: t.router(realtimeRouter({ … })). Its types are those of another version of tRPC than this folder has.
  realtime: t.router({
    getToken: authed.query(async ({ ctx: { userId } }) => ({
      token: await realtime.createConnectionToken({ userId }),
    })),
    getChannelTokens: authed
      .input(z.object({ channels: z.array(z.string()) }))
      .query(({ ctx: { userId }, input }) =>
        realtime.createChannelTokens({ userId, channels: input.channels.filter(isChannelName) }),
      ),
  }),
});

export type AppRouter = typeof appRouter;

export const handle = (req: Request) =>
  fetchRequestHandler({
    endpoint: '/trpc',
    req,
    router: appRouter,
    createContext,
    responseMeta: realtimeResponseMeta(),
  });
