import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createChaos } from '../src/server/chaos.ts';
import { type Database, openDatabase } from '../src/server/database/database.ts';
import { createCallerFactory } from '../src/server/trpc/init.ts';
import { appRouter } from '../src/server/trpc/router.ts';
import { type Recorder, startRecorder } from './recorder.ts';

const createCaller = createCallerFactory(appRouter);
let recorder: Recorder;
let database: Database;

const as = (claimedUserId: string | null) => createCaller({ db: database.db, claimedUserId, chaos: createChaos(null) });

/** Waits until exactly this was announced (a mutation does not wait for a slow broker), and forgets it. */
async function announced(...lines: string[]): Promise<void> {
  await expect.poll(() => recorder.told(), { timeout: 60_000 }).toEqual(lines);
  recorder.forget();
}

/** The claims of a token, unchecked: the broker's tests check signatures. */
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

beforeAll(async () => {
  [recorder, database] = await Promise.all([startRecorder(), openDatabase(undefined)]);
});
afterAll(() => Promise.all([database?.close(), recorder?.close()]));
beforeEach(() => recorder.forget());

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
    expect(recorder.told()).toEqual([]);
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
      'trpc:members:tool-library',
      'trpc:organisations',
      'trpc:chaos',
      'trpc:members:choir',
      'trpc:organisations:choir',
      'trpc:org:tool-library:choir',
      'trpc:org',
      'trpc:org:choir',
      'trpc:org:no-such',
      'trpc:user:amara',
      'trpc:global',
      'trpc:org:',
      'chat:org:tool-library',
      '__proto__',
    ];
    const grants = await as('mei').realtime.getChannelTokens({ channels });
    const granted = ['trpc:chaos', 'trpc:members:tool-library', 'trpc:org:tool-library', 'trpc:organisations'];
    expect(grants.map(({ channel }) => channel).sort()).toEqual(granted);
    for (const { channel, token } of grants) {
      const claims = claimsOf(token);
      expect(claims).toMatchObject({ sub: 'mei', channel });
      expect(claims.exp - claims.iat).toBe(10 * 60);
    }
  });

  it('stops granting the channel with the membership', async () => {
    const ask = () => as('leila').realtime.getChannelTokens({ channels: ['trpc:org:choir'] });
    expect((await ask()).map(({ channel }) => channel)).toEqual(['trpc:org:choir']);
    await as('leila').organisation.leave({ orgId: 'choir' });
    expect(await ask()).toEqual([]);
    await as('leila').organisation.join({ orgId: 'choir' });
    expect((await ask()).map(({ channel }) => channel)).toEqual(['trpc:org:choir']);
    await announced(
      'disconnect leila',
      'trpc:members:choir',
      'trpc:members:choir',
      'trpc:organisations',
      'trpc:organisations',
      'trpc:user:ines',
      'trpc:user:jonas',
      'unsubscribe leila trpc:members:choir',
      'unsubscribe leila trpc:org:choir',
    );
  });
});

describe('what mutations announce', () => {
  it('a post for everybody: the global feed, and whoever is mentioned', async () => {
    await as('mei').post.create({ orgId: null, body: 'Look, @Amara and @tomasz, not @nobody, and me, @mei!' });
    await announced('trpc:global', 'trpc:user:amara', 'trpc:user:tomasz');
    expect((await as('amara').user.notifications()).items[0]).toMatchObject({ kind: 'mention', actor: { id: 'mei' } });
  });

  it("a post in an organisation: that organisation's feed; nobody outside is told, even when mentioned", async () => {
    await as('jonas').post.create({ orgId: 'choir', body: 'Psst, @mei. Hello, @ines.' });
    await announced('trpc:org:choir', 'trpc:user:ines');
  });

  it('an answer: the feed, and the author once even if mentioned too', async () => {
    const { id: postId } = await as('mei').post.create({ orgId: null, body: 'Anyone for tea?' });
    await announced('trpc:global');
    await as('jonas').post.comment({ postId, body: 'Yes, @mei!' });
    await announced('trpc:global', 'trpc:user:mei');
    await as('mei').post.comment({ postId, body: 'At four then.' });
    await announced('trpc:global');
  });

  it('applause once, however often it is sent, and its end', async () => {
    const { id: postId } = await as('mei').post.create({ orgId: null, body: 'I fixed the fountain.' });
    const before = (await as('mei').user.notifications()).items.length;
    await announced('trpc:global');
    await as('jonas').post.applaud({ postId, on: true });
    await announced('trpc:global', 'trpc:user:mei');
    await as('jonas').post.applaud({ postId, on: true });
    const seen = (await as('jonas').feed.everybody()).find(({ id }) => id === postId);
    expect(seen?.applause).toEqual({ count: 1, mine: true });
    expect((await as('mei').user.notifications()).items.length).toBe(before + 1);
    await as('jonas').post.applaud({ postId, on: false });
    expect((await as('mei').user.notifications()).items.length).toBe(before);
    const after = (await as('amara').feed.everybody()).find(({ id }) => id === postId);
    expect(after?.applause).toEqual({ count: 0, mine: false });
  });

  it('joining tells the town, the organisation and each of its members', async () => {
    await as('tomasz').organisation.join({ orgId: 'choir' });
    await announced('trpc:members:choir', 'trpc:organisations', 'trpc:user:ines', 'trpc:user:jonas', 'trpc:user:leila');
    await as('tomasz').organisation.join({ orgId: 'choir' });
    expect(recorder.told()).toEqual([]);
  });

  it('leaving tells the town and the rest, and revokes the channels', async () => {
    await as('tomasz').organisation.leave({ orgId: 'choir' });
    await announced(
      'disconnect tomasz',
      'trpc:members:choir',
      'trpc:organisations',
      'unsubscribe tomasz trpc:members:choir',
      'unsubscribe tomasz trpc:org:choir',
    );
    await as('tomasz').organisation.leave({ orgId: 'choir' });
    expect(recorder.told()).toEqual([]);
  });

  it('reading notifications tells the own windows, if there was anything to read', async () => {
    await as('mei').user.markNotificationsRead();
    await announced('trpc:user:mei');
    expect((await as('mei').user.notifications()).unread).toBe(0);
    await as('mei').user.markNotificationsRead();
    expect(recorder.told()).toEqual([]);
  });

  it('announces nothing for what was refused', async () => {
    const { post } = as('mei');
    await expect(post.create({ orgId: null, body: '   ' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(post.create({ orgId: null, body: 'x'.repeat(2_001) })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(as('mei').organisation.join({ orgId: 'no-such' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(recorder.told()).toEqual([]);
  });

  it('lets the mutation succeed while the broker hangs', async () => {
    recorder.hang();
    const { id } = await as('mei').post.create({ orgId: null, body: 'Said into the wind.' });
    expect((await as('amara').feed.everybody())[0]).toMatchObject({ id, body: 'Said into the wind.' });
  });
});
