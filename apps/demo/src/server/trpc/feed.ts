import { asc, count, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Db } from '../database/database.ts';
import { comments, posts, reactions, users } from '../database/schema.ts';
import { feedChannel } from '../realtime/channels.ts';
import { memberProcedure, personProcedure, router, watches } from './init.ts';

const FEED_LENGTH = 50;

const author = { id: users.id, name: users.name };

/** The newest posts of one feed with their comments and applause, as `userId` sees them. */
async function readFeed(db: Db, userId: string, orgId: string | null) {
  const page = await db
    .select({ id: posts.id, body: posts.body, createdAt: posts.createdAt, author })
    .from(posts)
    .innerJoin(users, eq(users.id, posts.authorId))
    .where(orgId === null ? isNull(posts.orgId) : eq(posts.orgId, orgId))
    .orderBy(desc(posts.id))
    .limit(FEED_LENGTH);
  if (page.length === 0) return [];
  const ids = page.map((post) => post.id);
  const [replies, applause] = await Promise.all([
    db
      .select({ id: comments.id, postId: comments.postId, body: comments.body, createdAt: comments.createdAt, author })
      .from(comments)
      .innerJoin(users, eq(users.id, comments.authorId))
      .where(inArray(comments.postId, ids))
      .orderBy(asc(comments.id)),
    db
      .select({
        postId: reactions.postId,
        count: count(),
        mine: sql<boolean>`bool_or(${reactions.userId} = ${userId})`,
      })
      .from(reactions)
      .where(inArray(reactions.postId, ids))
      .groupBy(reactions.postId),
  ]);
  return page.map((post) => {
    const own = applause.find((row) => row.postId === post.id);
    return {
      ...post,
      comments: replies.filter((reply) => reply.postId === post.id),
      applause: { count: own?.count ?? 0, mine: own?.mine ?? false },
    };
  });
}

export const feedRouter = router({
  everybody: personProcedure
    .use(watches(() => feedChannel(null)))
    .query(({ ctx }) => readFeed(ctx.db, ctx.userId, null)),
  organisation: memberProcedure
    .use(watches(({ input }) => feedChannel(input.orgId)))
    .query(({ ctx, input }) => readFeed(ctx.db, ctx.userId, input.orgId)),
});
