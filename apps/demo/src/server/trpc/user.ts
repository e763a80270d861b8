import { Channels } from '@op/realtime';
import { and, count, desc, eq, isNull } from 'drizzle-orm';
import { notifications, organisations, posts, users } from '../database/schema.ts';
import { changeProcedure, personProcedure, router, watches } from './init.ts';

const LIST_LENGTH = 30;

export const userRouter = router({
  notifications: personProcedure.use(watches(({ ctx }) => Channels.user(ctx.userId))).query(async ({ ctx }) => {
    const { db, userId } = ctx;
    const own = eq(notifications.userId, userId);
    const [items, unread] = await Promise.all([
      db
        .select({
          id: notifications.id,
          kind: notifications.kind,
          createdAt: notifications.createdAt,
          readAt: notifications.readAt,
          actor: { id: users.id, name: users.name },
          post: { id: posts.id, body: posts.body },
          organisation: { id: organisations.id, name: organisations.name },
        })
        .from(notifications)
        .innerJoin(users, eq(users.id, notifications.actorId))
        .leftJoin(posts, eq(posts.id, notifications.postId))
        .leftJoin(organisations, eq(organisations.id, notifications.orgId))
        .where(own)
        .orderBy(desc(notifications.createdAt), desc(notifications.id))
        .limit(LIST_LENGTH),
      db
        .select({ count: count() })
        .from(notifications)
        .where(and(own, isNull(notifications.readAt))),
    ]);
    return { items, unread: unread[0]!.count };
  }),

  markNotificationsRead: changeProcedure.mutation(async ({ ctx }) => {
    const { db, userId, touch } = ctx;
    const read = await db
      .update(notifications)
      .set({ readAt: new Date() })
      .where(and(eq(notifications.userId, userId), isNull(notifications.readAt)))
      .returning({ id: notifications.id });
    if (read.length > 0) touch(Channels.user(userId));
  }),
});
