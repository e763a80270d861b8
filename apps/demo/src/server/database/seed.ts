import type { Db } from './database.ts';
import { comments, memberships, notifications, organisations, posts, reactions, users } from './schema.ts';

const PEOPLE = [
  { id: 'amara', name: 'Amara Okafor', occupation: 'Runs the Saturday market' },
  { id: 'mei', name: 'Mei Tanaka', occupation: 'Bicycle mechanic' },
  { id: 'jonas', name: 'Jonas Lindqvist', occupation: 'Teaches maths' },
  { id: 'ines', name: 'Inês Duarte', occupation: 'Bakes before dawn' },
  { id: 'tomasz', name: 'Tomasz Zieliński', occupation: 'Carpenter' },
  { id: 'leila', name: 'Leila Haddad', occupation: 'Night nurse' },
];

const ORGANISATIONS = [
  {
    id: 'tool-library',
    name: 'Harbour Tool Library',
    purpose: 'Borrow the drill instead of buying it.',
    members: ['tomasz', 'mei', 'jonas', 'amara'],
  },
  {
    id: 'food-coop',
    name: 'Riverside Food Co-op',
    purpose: 'Vegetables from five farms, shared every Wednesday.',
    members: ['amara', 'ines', 'leila', 'mei'],
  },
  {
    id: 'repair-cafe',
    name: 'Northside Repair Café',
    purpose: 'Bring what is broken, leave with what works.',
    members: ['mei', 'tomasz', 'leila'],
  },
  {
    id: 'choir',
    name: 'Lantern Street Choir',
    purpose: 'Thursday evenings, no auditions.',
    members: ['ines', 'jonas', 'leila'],
  },
];

interface SeedPost {
  readonly orgId: string | null;
  readonly authorId: string;
  readonly body: string;
  readonly minutesAgo: number;
  readonly applause: readonly string[];
  readonly comments: readonly { authorId: string; body: string; minutesAgo: number }[];
}

const POSTS: readonly SeedPost[] = [
  {
    orgId: null,
    authorId: 'leila',
    body: 'The footbridge on Mill Lane is open again. Two years, but the view from the middle is worth it.',
    minutesAgo: 2_870,
    applause: ['jonas', 'ines', 'tomasz'],
    comments: [{ authorId: 'jonas', body: 'And it no longer sways. I almost miss that.', minutesAgo: 2_790 }],
  },
  {
    orgId: null,
    authorId: 'tomasz',
    body: 'Forty metres of oak left over from the school benches. Free to anyone who will build something that people can sit on.',
    minutesAgo: 1_310,
    applause: ['mei', 'amara', 'leila', 'jonas'],
    comments: [
      {
        authorId: 'mei',
        body: 'Could we have four metres for the workshop bench at the Repair Café?',
        minutesAgo: 1_288,
      },
      { authorId: 'tomasz', body: 'Gladly. I will bring it on Saturday.', minutesAgo: 1_275 },
    ],
  },
  {
    orgId: null,
    authorId: 'ines',
    body: 'New rye starter is ready to share. Bring a clean jar to the bakery before nine.',
    minutesAgo: 214,
    applause: ['amara', 'leila'],
    comments: [],
  },
  {
    orgId: null,
    authorId: 'amara',
    body: 'Street market this Saturday, nine to two. Three stalls are still free: no fee for first-timers.',
    minutesAgo: 46,
    applause: ['ines', 'mei'],
    comments: [{ authorId: 'jonas', body: 'My students would like one for their geometry kites.', minutesAgo: 38 }],
  },
  {
    orgId: 'tool-library',
    authorId: 'jonas',
    body: 'The laser level is back, with new batteries and, this time, its instructions.',
    minutesAgo: 1_620,
    applause: ['tomasz'],
    comments: [],
  },
  {
    orgId: 'tool-library',
    authorId: 'tomasz',
    body: 'I am teaching a one-hour class on sharpening chisels on Sunday. Six places, bring the bluntest thing you own.',
    minutesAgo: 172,
    applause: ['mei', 'jonas', 'amara'],
    comments: [{ authorId: 'amara', body: 'Do kitchen knives count?', minutesAgo: 160 }],
  },
  {
    orgId: 'tool-library',
    authorId: 'mei',
    body: 'Who has the torque wrench? No hurry before Friday.',
    minutesAgo: 31,
    applause: [],
    comments: [{ authorId: 'jonas', body: 'In my bag, sorry! Dropping it off tonight.', minutesAgo: 24 }],
  },
  {
    orgId: 'food-coop',
    authorId: 'amara',
    body: 'Wednesday: leeks, late apples, and more pumpkins than we can carry. Please bring crates.',
    minutesAgo: 305,
    applause: ['ines', 'leila'],
    comments: [{ authorId: 'leila', body: 'I can drive the northern round after my shift.', minutesAgo: 281 }],
  },
  {
    orgId: 'food-coop',
    authorId: 'ines',
    body: 'The mill can do twenty kilos of spelt for us each month. Shall we try it until spring?',
    minutesAgo: 67,
    applause: ['amara', 'mei'],
    comments: [],
  },
  {
    orgId: 'repair-cafe',
    authorId: 'mei',
    body: 'Last Saturday: 31 things came in, 26 left working. One kettle taught us humility.',
    minutesAgo: 2_180,
    applause: ['leila', 'tomasz'],
    comments: [],
  },
  {
    orgId: 'repair-cafe',
    authorId: 'leila',
    body: 'We are short of 3-amp fuses and of somebody who likes sewing machines.',
    minutesAgo: 128,
    applause: ['mei'],
    comments: [{ authorId: 'tomasz', body: 'My mother repairs them for fun. I will ask her.', minutesAgo: 101 }],
  },
  {
    orgId: 'choir',
    authorId: 'ines',
    body: 'The winter programme is settled: two Swedish songs, one Portuguese, and the one that makes Jonas cry.',
    minutesAgo: 512,
    applause: ['jonas', 'leila'],
    comments: [{ authorId: 'jonas', body: 'I have a cold that evening. Probably.', minutesAgo: 498 }],
  },
];

/** Fills an empty database with a small town; leaves one with people in it alone. */
export async function seed(db: Db, now: Date): Promise<void> {
  if ((await db.select({ id: users.id }).from(users).limit(1)).length > 0) return;
  const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  const longAgo = ago(60 * 24 * 400);

  await db.insert(users).values(PEOPLE);
  await db
    .insert(organisations)
    .values(ORGANISATIONS.map(({ members: _, ...org }) => ({ ...org, createdAt: longAgo })));
  await db
    .insert(memberships)
    .values(
      ORGANISATIONS.flatMap((org) => org.members.map((userId) => ({ orgId: org.id, userId, createdAt: longAgo }))),
    );

  const oldestFirst = [...POSTS].sort((a, b) => b.minutesAgo - a.minutesAgo);
  const inserted = await db
    .insert(posts)
    .values(
      oldestFirst.map(({ orgId, authorId, body, minutesAgo }) => ({
        orgId,
        authorId,
        body,
        createdAt: ago(minutesAgo),
      })),
    )
    .returning({ id: posts.id });

  const applause = oldestFirst.flatMap((post, at) =>
    post.applause.map((userId, nth) => {
      const createdAt = ago(post.minutesAgo * (0.9 - 0.1 * nth));
      return { post, postId: inserted[at]!.id, userId, createdAt };
    }),
  );
  const answers = oldestFirst.flatMap((post, at) =>
    post.comments.map(({ authorId, body, minutesAgo }) => {
      return { post, postId: inserted[at]!.id, authorId, body, createdAt: ago(minutesAgo) };
    }),
  );
  await db.insert(reactions).values(applause.map(({ post: _, ...row }) => row));
  await db.insert(comments).values(answers.map(({ post: _, ...row }) => row));

  const told = [
    ...applause.map((row) => ({ ...row, kind: 'reaction' as const, actorId: row.userId })),
    ...answers.map((row) => ({ ...row, kind: 'comment' as const, actorId: row.authorId })),
  ].filter(({ post, actorId }) => actorId !== post.authorId);
  await db.insert(notifications).values(
    told
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
      .map(({ post, postId, kind, actorId, createdAt }) => {
        // What is older than a few hours has been read.
        const readAt = createdAt < ago(180) ? createdAt : null;
        return { userId: post.authorId, actorId, kind, postId, orgId: post.orgId, createdAt, readAt };
      }),
  );
}
