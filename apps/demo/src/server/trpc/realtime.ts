import { Channels, isChannelName } from '@op/realtime';
import { realtime } from '@op/realtime/server';
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { memberships } from '../database/schema.ts';
import { personProcedure, router } from './init.ts';

/** Permission to read channels. Default deny: what is not granted here cannot be joined. */
export const realtimeRouter = router({
  /** What belongs to the person and cannot be taken away: the global channel and their own. Good for 24 hours. */
  getToken: personProcedure.query(async ({ ctx }) => ({
    token: await realtime.createConnectionToken({ userId: ctx.userId }),
  })),

  /** A membership can end, so organisations' channels come with tokens of ten minutes, one per channel, to members only. */
  getChannelTokens: personProcedure
    .input(z.object({ channels: z.array(z.string()).max(128) }))
    .query(async ({ ctx, input }) => {
      const asked = new Set(input.channels.filter(isChannelName));
      const own = await ctx.db
        .select({ orgId: memberships.orgId })
        .from(memberships)
        .where(eq(memberships.userId, ctx.userId));
      const channels = own.map(({ orgId }) => Channels.org(orgId)).filter((channel) => asked.has(channel));
      const grants = await realtime.createChannelTokens({ userId: ctx.userId, channels });
      return Object.fromEntries(grants.map(({ channel, token }) => [channel, token]));
    }),
});
