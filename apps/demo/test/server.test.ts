import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createChaos } from '../src/server/chaos.ts';
import { type Database, openDatabase } from '../src/server/database/database.ts';
import { createAnnouncer } from '../src/server/realtime/announce.ts';
import { createCallerFactory } from '../src/server/trpc/init.ts';
import { appRouter } from '../src/server/trpc/router.ts';
import { createRecorder } from './recorder.ts';

const createCaller = createCallerFactory(appRouter);
const recorder = createRecorder();
const announceFailures: unknown[] = [];
let database: Database;

const as = (claimedUserId: string | null, publisher: typeof recorder = recorder) =>
  createCaller({
    db: database.db,
    claimedUserId,
    chaos: createChaos(null),
    announce: createAnnouncer(publisher, (error) => announceFailures.push(error)),
  });

/** The claims of a token, unchecked: the broker's tests check signatures. */
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

beforeAll(async () => {
  process.env.CENTRIFUGO_TOKEN_SECRET = 'a-secret-of-this-test-and-of-nothing-else';
  database = await openDatabase(undefined);
});
afterAll(() => database?.close());
beforeEach(() => void recorder.take());

describe('who may see what', () => {
  it.each([[null], [''], ['nobody'], ['__proto__'], ["mei'; DROP TABLE op_demo.users; --"]])(
    'refuses somebody who is not of the town: %j',
    async (claimed) => {
      await expect(as(claimed).feed.everybody()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await expect(as(claimed).user.notifications()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await expect(as(claimed).realtime.getToken()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await expect(as(claimed).post.create({ orgId: null, body: 'hello' })).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      });
    },
  );

  it("shows an organisation's feed and members to its members only", async () => {
    expect((await as('ines').feed.organisation({ orgId: 'choir' })).length).toBeGreaterThan(0);
    expect((await as('ines').organisation.members({ orgId: 'choir' })).map(({ id }) => id)).toContain('jonas');
    const { feed, organisation, post } = as('mei');
    await expect(feed.organisation({ orgId: 'choir' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(organisation.members({ orgId: 'choir' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(post.create({ orgId: 'choir', body: 'la' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(feed.organisation({ orgId: 'no-such' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('hides a post of an organisation from others as if it did not exist', async () => {
    const [post] = await as('ines').feed.organisation({ orgId: 'choir' });
    const postId = post!.id;
    await expect(as('mei').post.comment({ postId, body: 'la' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(as('mei').post.applaud({ postId, on: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(as('mei').post.applaud({ postId: 999_999, on: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(recorder.take()).toEqual([]);
  });

  it('keeps organisation posts out of the feed of everybody', async () => {
    const everybody = (await as('mei').feed.everybody()).map(({ id }) => id);
    const choir = (await as('ines').feed.organisation({ orgId: 'choir' })).map(({ id }) => id);
    expect(everybody.filter((id) => choir.includes(id))).toEqual([]);
  });

  it('shows everybody their own notifications', async () => {
    const { items, unread } = await as('mei').user.notifications();
    expect(items.map(({ kind, actor }) => [kind, actor.id])).toContainEqual(['comment', 'jonas']);
    expect(unread).toBe(items.filter(({ readAt }) => readAt === null).length);
    const others = (await as('amara').user.notifications()).items.map(({ id }) => id);
    expect(items.filter(({ id }) => others.includes(id))).toEqual([]);
  });
});

describe('permission for channels', () => {
  it('puts the global and the own channel into the connection token, and nothing else', async () => {
    const claims = claimsOf((await as('mei').realtime.getToken()).token);
    expect(claims.sub).toBe('mei');
    expect(Object.keys(claims.subs)).toEqual(['trpc:global', 'trpc:user:mei']);
    expect(claims.exp - claims.iat).toBe(24 * 60 * 60);
  });

  it("grants organisations' channels to members, for ten minutes, and refuses all others", async () => {
    const channels = [
      'trpc:org:tool-library',
      'trpc:org:choir',
      'trpc:org:no-such',
      'trpc:user:amara',
      'trpc:global',
      'trpc:org:',
      'chat:org:tool-library',
      '__proto__',
    ];
    const grants = await as('mei').realtime.getChannelTokens({ channels });
    expect(Object.keys(grants)).toEqual(['trpc:org:tool-library']);
    const claims = claimsOf(grants['trpc:org:tool-library']!);
    expect(claims).toMatchObject({ sub: 'mei', channel: 'trpc:org:tool-library' });
    expect(claims.exp - claims.iat).toBe(10 * 60);
  });

  it('stops granting the channel with the membership', async () => {
    const ask = () => as('leila').realtime.getChannelTokens({ channels: ['trpc:org:choir'] });
    expect(Object.keys(await ask())).toEqual(['trpc:org:choir']);
    await as('leila').organisation.leave({ orgId: 'choir' });
    expect(await ask()).toEqual({});
    await as('leila').organisation.join({ orgId: 'choir' });
    expect(Object.keys(await ask())).toEqual(['trpc:org:choir']);
  });
});

describe('what mutations announce', () => {
  it('a post for everybody: the global feed, and whoever is mentioned', async () => {
    await as('mei').post.create({ orgId: null, body: 'Look, @Amara and @tomasz, not @nobody, and me, @mei!' });
    expect(recorder.take().sort()).toEqual([
      'trpc:global ["feed","everybody"]',
      'trpc:user:amara ["user","notifications"]',
      'trpc:user:tomasz ["user","notifications"]',
    ]);
    expect((await as('amara').user.notifications()).items[0]).toMatchObject({ kind: 'mention', actor: { id: 'mei' } });
  });

  it("a post in an organisation: that organisation's feed; nobody outside is told, even when mentioned", async () => {
    await as('jonas').post.create({ orgId: 'choir', body: 'Psst, @mei. Hello, @ines.' });
    expect(recorder.take().sort()).toEqual([
      'trpc:org:choir [["feed","organisation"],{"input":{"orgId":"choir"}}]',
      'trpc:user:ines ["user","notifications"]',
    ]);
  });

  it('an answer: the feed, and the author once even if mentioned too', async () => {
    const { id: postId } = await as('mei').post.create({ orgId: null, body: 'Anyone for tea?' });
    recorder.take();
    await as('jonas').post.comment({ postId, body: 'Yes, @mei!' });
    expect(recorder.take().sort()).toEqual([
      'trpc:global ["feed","everybody"]',
      'trpc:user:mei ["user","notifications"]',
    ]);
    await as('mei').post.comment({ postId, body: 'At four then.' });
    expect(recorder.take()).toEqual(['trpc:global ["feed","everybody"]']);
  });

  it('applause once, however often it is sent, and its end', async () => {
    const { id: postId } = await as('mei').post.create({ orgId: null, body: 'I fixed the fountain.' });
    const before = (await as('mei').user.notifications()).items.length;
    recorder.take();
    await as('jonas').post.applaud({ postId, on: true });
    expect(recorder.take().sort()).toEqual([
      'trpc:global ["feed","everybody"]',
      'trpc:user:mei ["user","notifications"]',
    ]);
    await as('jonas').post.applaud({ postId, on: true });
    const seen = (await as('jonas').feed.everybody()).find(({ id }) => id === postId);
    expect(seen?.applause).toEqual({ count: 1, mine: true });
    expect((await as('mei').user.notifications()).items.length).toBe(before + 1);
    await as('jonas').post.applaud({ postId, on: false });
    expect((await as('mei').user.notifications()).items.length).toBe(before);
    const after = (await as('amara').feed.everybody()).find(({ id }) => id === postId);
    expect(after?.applause).toEqual({ count: 0, mine: false });
  });

  it('joining tells the organisation, its members, the town and the own windows', async () => {
    await as('tomasz').organisation.join({ orgId: 'choir' });
    expect(recorder.take().sort()).toEqual([
      'trpc:global ["organisation","list"]',
      'trpc:org:choir [["organisation","members"],{"input":{"orgId":"choir"}}]',
      'trpc:user:ines ["user","notifications"]',
      'trpc:user:jonas ["user","notifications"]',
      'trpc:user:leila ["user","notifications"]',
      'trpc:user:tomasz ["organisation"]',
    ]);
    await as('tomasz').organisation.join({ orgId: 'choir' });
    expect(recorder.take()).toEqual([]);
  });

  it('leaving revokes the channel', async () => {
    await as('tomasz').organisation.leave({ orgId: 'choir' });
    expect(recorder.take()).toContain('revoke tomasz trpc:org:choir');
    await as('tomasz').organisation.leave({ orgId: 'choir' });
    expect(recorder.take()).toEqual([]);
  });

  it('reading notifications tells the own windows, if there was anything to read', async () => {
    await as('mei').user.markNotificationsRead();
    expect(recorder.take()).toEqual(['trpc:user:mei ["user","notifications"]']);
    expect((await as('mei').user.notifications()).unread).toBe(0);
    await as('mei').user.markNotificationsRead();
    expect(recorder.take()).toEqual([]);
  });

  it('announces nothing for what was refused', async () => {
    const { post } = as('mei');
    await expect(post.create({ orgId: null, body: '   ' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(post.create({ orgId: null, body: 'x'.repeat(2_001) })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(as('mei').organisation.join({ orgId: 'no-such' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(recorder.take()).toEqual([]);
  });

  it('lets the mutation succeed while the broker is down', async () => {
    const down = new Error('down');
    const deaf = { ...recorder, publish: () => Promise.reject(down), revoke: () => Promise.reject(down) };
    const { id } = await as('mei', deaf).post.create({ orgId: null, body: 'Said into the wind.' });
    expect((await as('amara').feed.everybody())[0]).toMatchObject({ id, body: 'Said into the wind.' });
    await expect.poll(() => announceFailures).toEqual([down]);
  });
});
