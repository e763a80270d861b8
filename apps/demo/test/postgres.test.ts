import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasLane } from '../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../test/postgres.ts';
import { createChaos } from '../src/server/chaos.ts';
import { openDatabase } from '../src/server/database/database.ts';
import { createCallerFactory } from '../src/server/trpc/init.ts';
import { appRouter } from '../src/server/trpc/router.ts';
import { type Recorder, startRecorder } from './recorder.ts';

const folder = findPostgres();

describe.skipIf(!hasLane('postgres', folder))('the demo on PostgreSQL', () => {
  let cluster: PostgresCluster;
  let recorder: Recorder;
  beforeAll(async () => {
    [cluster, recorder] = await Promise.all([startPostgres(folder!), startRecorder()]);
  });
  afterAll(() => Promise.all([cluster?.close(), recorder?.close()]));

  it('migrates and seeds once, though two demos start at the same moment, and keeps what was written', async () => {
    const callerOf = (db: Awaited<ReturnType<typeof openDatabase>>['db'], claimedUserId: string) =>
      createCallerFactory(appRouter)({ db, claimedUserId, chaos: createChaos(null) });

    const [one, two] = await Promise.all([openDatabase(cluster.url), openDatabase(cluster.url)]);
    expect(one.description).toContain('PostgreSQL');
    expect(await callerOf(one.db, 'mei').people.list()).toHaveLength(6);
    expect(await callerOf(two.db, 'mei').people.list()).toHaveLength(6);

    const { id } = await callerOf(one.db, 'mei').post.create({
      orgId: 'tool-library',
      body: 'Hello from @mei, @jonas',
    });
    await expect.poll(() => recorder.told(), { timeout: 60_000 }).toEqual(['trpc:org:tool-library', 'trpc:user:jonas']);
    const [newest] = await callerOf(two.db, 'jonas').feed.organisation({ orgId: 'tool-library' });
    expect(newest).toMatchObject({ id, author: { id: 'mei' }, applause: { count: 0, mine: false } });
    await callerOf(two.db, 'jonas').post.applaud({ postId: id, on: true });
    expect((await callerOf(one.db, 'jonas').feed.organisation({ orgId: 'tool-library' }))[0]?.applause).toEqual({
      count: 1,
      mine: true,
    });
    await Promise.all([one.close(), two.close()]);

    const again = await openDatabase(cluster.url);
    expect((await callerOf(again.db, 'jonas').feed.organisation({ orgId: 'tool-library' }))[0]?.id).toBe(id);
    await again.close();
  });
});
