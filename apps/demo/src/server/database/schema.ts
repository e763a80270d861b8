import { bigint, index, pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

/** Everything lives in a PostgreSQL schema of its own, so that a shared DATABASE_URL stays tidy. */
export const demo = pgSchema('op_demo');

const createdAt = () => timestamp('created_at', { withTimezone: true }).notNull().defaultNow();
const id = () => bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity();

export const users = demo.table('users', {
  /** A short readable name, also the id in channel names: `mei`. */
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  occupation: text('occupation').notNull(),
});

export const organisations = demo.table('organisations', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  purpose: text('purpose').notNull(),
  createdAt: createdAt(),
});

export const memberships = demo.table(
  'memberships',
  {
    orgId: text('org_id').notNull(),
    userId: text('user_id').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.orgId, table.userId] })],
);

export const posts = demo.table(
  'posts',
  {
    id: id(),
    /** The organisation whose members may read it; null for the feed of everybody. */
    orgId: text('org_id'),
    authorId: text('author_id').notNull(),
    body: text('body').notNull(),
    createdAt: createdAt(),
  },
  (table) => [index('posts_by_feed').on(table.orgId, table.id)],
);

export const comments = demo.table(
  'comments',
  {
    id: id(),
    postId: bigint('post_id', { mode: 'number' }).notNull(),
    authorId: text('author_id').notNull(),
    body: text('body').notNull(),
    createdAt: createdAt(),
  },
  (table) => [index('comments_by_post').on(table.postId, table.id)],
);

/** One kind of reaction is enough here: applause. */
export const reactions = demo.table(
  'reactions',
  {
    postId: bigint('post_id', { mode: 'number' }).notNull(),
    userId: text('user_id').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.postId, table.userId] })],
);

export type NotificationKind = 'comment' | 'reaction' | 'mention' | 'join';

export const notifications = demo.table(
  'notifications',
  {
    id: id(),
    /** Who is told. */
    userId: text('user_id').notNull(),
    /** Who did it. */
    actorId: text('actor_id').notNull(),
    kind: text('kind').$type<NotificationKind>().notNull(),
    postId: bigint('post_id', { mode: 'number' }),
    orgId: text('org_id'),
    createdAt: createdAt(),
    readAt: timestamp('read_at', { withTimezone: true }),
  },
  (table) => [index('notifications_by_user').on(table.userId, table.id)],
);
