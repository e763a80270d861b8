import { realtime } from '@op/realtime/server';
import { initRealtime, type RealtimeContext } from '@op/realtime/trpc/server';
import { initTRPC, TRPCError } from '@trpc/server';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import type { Chaos } from '../chaos.ts';
import type { Db } from '../database/database.ts';
import { memberships, users } from '../database/schema.ts';

import { TownChannels } from '../realtime/channels.ts';
import { reportFault } from '../realtime/report-fault.ts';

/** The header that carries who the window is. A demo has a switch instead of passwords: a real app would read a session here. */
export const USER_HEADER = 'x-demo-user';

export interface Context extends Partial<RealtimeContext> {
  readonly db: Db;
  readonly chaos: Chaos;
  /** What the request claims; checked by `personProcedure`. */
  readonly claimedUserId: string | null;
}

const t = initTRPC.context<Context>().create();

/** `watches` says what a query depends on, `touches` what a mutation changes; the rest follows. */
const { base, watches, touches } = initRealtime({
  realtime,
  userId: (ctx: { userId?: string }) => ctx.userId,
  channels: TownChannels,
  onFault: reportFault,
});

export { watches };

export const { router, createCallerFactory } = t;
export const procedure = t.procedure.use(base);

/** For people of the town only. */
export const personProcedure = procedure.use(async ({ ctx, next }) => {
  const { db, claimedUserId } = ctx;
  const [person] = claimedUserId
    ? await db.select({ id: users.id }).from(users).where(eq(users.id, claimedUserId)).limit(1)
    : [];
  if (!person) throw new TRPCError({ code: 'UNAUTHORIZED', message: 'Choose who you are first.' });
  return next({ ctx: { userId: person.id } });
});

/** For what people change: adds `ctx.touch`. */
export const changeProcedure = personProcedure.use(touches());

export const orgInput = z.object({ orgId: z.string().min(1).max(60) });

/** For members of the organisation in the input. */
export const memberProcedure = personProcedure.input(orgInput).use(async ({ ctx, input, next }) => {
  await requireMembership(ctx.db, ctx.userId, input.orgId);
  return next();
});

export async function isMember(db: Db, userId: string, orgId: string): Promise<boolean> {
  const rows = await db
    .select({ userId: memberships.userId })
    .from(memberships)
    .where(and(eq(memberships.userId, userId), eq(memberships.orgId, orgId)))
    .limit(1);
  return rows.length > 0;
}

export async function requireMembership(db: Db, userId: string, orgId: string): Promise<void> {
  if (!(await isMember(db, userId, orgId)))
    throw new TRPCError({ code: 'FORBIDDEN', message: 'Only members can see and do this. Join first.' });
}
