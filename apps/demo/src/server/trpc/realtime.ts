import { Channels } from '@op/realtime';
import { realtimeRouter as createRealtimeRouter } from '@op/realtime/trpc/server';
import { membershipChannels, TownChannels } from '../realtime/channels.ts';
import { isMember, personProcedure, router } from './init.ts';

/**
 * Permission to read channels; what is not granted cannot be joined. The global channel and one's own are part of the login; the others come with the answers
 * of queries, for ten minutes, and are renewed here.
 */
export const realtimeRouter = router(
  createRealtimeRouter({
    procedure: personProcedure,
    userId: ({ ctx }) => ctx.userId,
    canSubscribe: async ({ ctx, channel, userId }) => {
      if (channel === TownChannels.organisations() || channel === TownChannels.chaos()) return true;
      const [, scope, orgId] = channel.split(':');
      const isMembers = scope === Channels.org.scope || scope === TownChannels.members.scope;
      if (!isMembers || !orgId || !membershipChannels(orgId).some((own) => own === channel)) return false;
      return isMember(ctx.db, userId, orgId);
    },
  }),
);
