import { Channels } from '@op/realtime';
import { TRPCError } from '@trpc/server';
import { and, asc, count, eq, sql } from 'drizzle-orm';
import { memberships, organisations, users } from '../database/schema.ts';
import { membershipChannels, TownChannels } from '../realtime/channels.ts';
import { endSubscriptions } from '../realtime/end-subscriptions.ts';
import { changeProcedure, memberProcedure, orgInput, personProcedure, router, watches } from './init.ts';
import { notify } from './post.ts';

export const organisationRouter = router({
  list: personProcedure.use(watches(() => TownChannels.organisations())).query(({ ctx }) =>
    ctx.db
      .select({
        id: organisations.id,
        name: organisations.name,
        purpose: organisations.purpose,
        memberCount: count(memberships.userId),
        isMember: sql<boolean>`coalesce(bool_or(${memberships.userId} = ${ctx.userId}), false)`,
      })
      .from(organisations)
      .leftJoin(memberships, eq(memberships.orgId, organisations.id))
      .groupBy(organisations.id)
      .orderBy(asc(organisations.name)),
  ),

  members: memberProcedure
    .use(watches(({ input }) => TownChannels.members(input.orgId)))
    .query(({ ctx, input }) =>
      ctx.db
        .select({ id: users.id, name: users.name, occupation: users.occupation })
        .from(memberships)
        .innerJoin(users, eq(users.id, memberships.userId))
        .where(eq(memberships.orgId, input.orgId))
        .orderBy(asc(users.name)),
    ),

  join: changeProcedure.input(orgInput).mutation(async ({ ctx, input: { orgId } }) => {
    const { db, userId, touch } = ctx;
    const told = await db.transaction(async (tx) => {
      const [org] = await tx.select({ id: organisations.id }).from(organisations).where(eq(organisations.id, orgId));
      if (!org) throw new TRPCError({ code: 'NOT_FOUND', message: 'There is no such organisation.' });
      const joined = await tx.insert(memberships).values({ orgId, userId }).onConflictDoNothing().returning();
      if (joined.length === 0) return null;
      const members = await tx.select({ id: memberships.userId }).from(memberships).where(eq(memberships.orgId, orgId));
      return notify(
        tx,
        members.map((member) => member.id),
        'join',
        { userId, postId: null, orgId },
      );
    });
    if (!told) return;
    touch([TownChannels.organisations(), TownChannels.members(orgId), ...told.map((id) => Channels.user(id))]);
  }),

  leave: changeProcedure.input(orgInput).mutation(async ({ ctx, input: { orgId } }) => {
    const { db, userId, touch } = ctx;
    const left = await db
      .delete(memberships)
      .where(and(eq(memberships.orgId, orgId), eq(memberships.userId, userId)))
      .returning();
    if (left.length === 0) return;
    touch([TownChannels.organisations(), TownChannels.members(orgId)]);
    endSubscriptions(userId, membershipChannels(orgId));
  }),
});
