import { Channels } from '@op/realtime';
import { TRPCError } from '@trpc/server';
import { and, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from '../database/database.ts';
import {
  comments,
  memberships,
  type NotificationKind,
  notifications,
  posts,
  reactions,
  users,
} from '../database/schema.ts';
import { feedChannel } from '../realtime/channels.ts';
import { changeProcedure, requireMembership, router } from './init.ts';

const body = z.string().trim().min(1, 'Write something first.').max(2_000, 'At most 2,000 characters.');
const postInput = z.object({ postId: z.number().int().positive() });

export const postRouter = router({
  create: changeProcedure
    .input(z.object({ orgId: z.string().min(1).max(60).nullable(), body }))
    .mutation(async ({ ctx, input }) => {
      const { db, userId, touch } = ctx;
      const { orgId } = input;
      if (orgId !== null) await requireMembership(db, userId, orgId);
      const { id, told } = await db.transaction(async (tx) => {
        const [post] = await tx.insert(posts).values({ orgId, authorId: userId, body: input.body }).returning();
        const mentioned = await findMentioned(tx, input.body, orgId);
        return { id: post!.id, told: await notify(tx, mentioned, 'mention', { userId, postId: post!.id, orgId }) };
      });
      touch([feedChannel(orgId), ...told.map((id) => Channels.user(id))]);
      return { id };
    }),

  comment: changeProcedure.input(postInput.extend({ body })).mutation(async ({ ctx, input }) => {
    const { db, userId, touch } = ctx;
    const { id: postId, authorId, orgId } = await readablePost(db, userId, input.postId);
    const { id, told } = await db.transaction(async (tx) => {
      const [comment] = await tx.insert(comments).values({ postId, authorId: userId, body: input.body }).returning();
      const mentioned = await findMentioned(tx, input.body, orgId);
      const first = await notify(tx, [authorId], 'comment', { userId, postId, orgId });
      const others = mentioned.filter((id) => id !== authorId);
      return {
        id: comment!.id,
        told: [...first, ...(await notify(tx, others, 'mention', { userId, postId, orgId }))],
      };
    });
    touch([feedChannel(orgId), ...told.map((id) => Channels.user(id))]);
    return { id };
  }),

  /** Applause, or taking it back. */
  applaud: changeProcedure.input(postInput.extend({ on: z.boolean() })).mutation(async ({ ctx, input }) => {
    const { db, userId, touch } = ctx;
    const { id: postId, authorId, orgId } = await readablePost(db, userId, input.postId);
    const told = await db.transaction(async (tx) => {
      if (!input.on) {
        await tx.delete(reactions).where(and(eq(reactions.postId, postId), eq(reactions.userId, userId)));
        await tx
          .delete(notifications)
          .where(
            and(
              eq(notifications.postId, postId),
              eq(notifications.actorId, userId),
              eq(notifications.kind, 'reaction'),
            ),
          );
        return [authorId];
      }
      const inserted = await tx.insert(reactions).values({ postId, userId }).onConflictDoNothing().returning();
      return inserted.length === 0 ? [] : notify(tx, [authorId], 'reaction', { userId, postId, orgId });
    });
    touch([feedChannel(orgId), ...told.map((id) => Channels.user(id))]);
  }),
});

/** The post, if this person may read it. One that they may not read looks like one that does not exist. */
async function readablePost(db: Db, userId: string, postId: number) {
  const [post] = await db.select().from(posts).where(eq(posts.id, postId)).limit(1);
  const missing = new TRPCError({ code: 'NOT_FOUND', message: 'This post does not exist any more.' });
  if (!post) throw missing;
  if (post.orgId !== null) await requireMembership(db, userId, post.orgId).catch(() => Promise.reject(missing));
  return post;
}

/** People named as `@mei` who may read the post. */
async function findMentioned(db: Db, text: string, orgId: string | null): Promise<string[]> {
  const names = [...text.matchAll(/@([\p{L}\d-]+)/gu)].map((match) => match[1]!.toLowerCase());
  if (names.length === 0) return [];
  const rows =
    orgId === null
      ? await db.select({ id: users.id }).from(users).where(inArray(users.id, names))
      : await db
          .select({ id: memberships.userId })
          .from(memberships)
          .where(and(eq(memberships.orgId, orgId), inArray(memberships.userId, names)));
  return rows.map((row) => row.id);
}

/** Writes one notification per person, none to the one who acted. Returns who was told. */
export async function notify(
  db: Db,
  userIds: readonly string[],
  kind: NotificationKind,
  about: { readonly userId: string; readonly postId: number | null; readonly orgId: string | null },
): Promise<string[]> {
  const told = userIds.filter((id) => id !== about.userId);
  const { userId: actorId, postId, orgId } = about;
  if (told.length > 0)
    await db.insert(notifications).values(told.map((userId) => ({ userId, actorId, kind, postId, orgId })));
  return told;
}
