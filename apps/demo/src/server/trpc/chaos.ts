import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { TownChannels } from '../realtime/channels.ts';
import { changeProcedure, personProcedure, router, watches } from './init.ts';

export const MAX_API_DELAY_MS = 5_000;

/** The switches of the chaos drawer. They act on the whole demo, so every window sees what happens. */
export const chaosRouter = router({
  status: personProcedure
    .use(watches(() => TownChannels.chaos()))
    .query(({ ctx }) => ({ broker: ctx.chaos.broker, apiDelayMs: ctx.chaos.apiDelayMs })),

  setBroker: changeProcedure.input(z.object({ isUp: z.boolean() })).mutation(async ({ ctx, input }) => {
    if (ctx.chaos.broker === 'external')
      throw new TRPCError({ code: 'PRECONDITION_FAILED', message: 'This broker was not started by the demo.' });
    await (input.isUp ? ctx.chaos.resumeBroker() : ctx.chaos.killBroker());
    ctx.touch(TownChannels.chaos());
  }),

  delayApi: changeProcedure
    .input(z.object({ delayMs: z.number().int().min(0).max(MAX_API_DELAY_MS) }))
    .mutation(({ ctx, input }) => {
      ctx.chaos.apiDelayMs = input.delayMs;
      ctx.touch(TownChannels.chaos());
    }),
});
