import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { hasLane, LANES } from '../../lanes.ts';
import { filesOf, snippetIn, snippetsOf } from '../../markdown.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../postgres.ts';
import { account, excuse } from '../../snippets/account.ts';
import { createStage, openTab, type Stage } from './stage.ts';

const page = 'docs/transactions.md';
const folder = findPostgres();

let cluster: PostgresCluster;
let stage: Stage;

/** What the page leaves to the reader: tables. */
const BEFORE = {
  'tables.ts':
    "import { pool } from './server/database';\nawait pool.query('CREATE TABLE posts (org_id text, body text)');\n",
};

if (hasLane('postgres', folder)) {
  beforeAll(async () => {
    [cluster, stage] = await Promise.all([startPostgres(folder!), createStage()]);
    vi.stubEnv('DATABASE_URL', cluster.url);
  });
  afterAll(async () => {
    await stage?.close();
    await cluster?.close();
  });

  it('what a transaction announces arrives after its commit, and never without one', async (context) => {
    const files = filesOf(page);
    const opened = stage.open(page, {
      ...BEFORE,
      'app.ts': `
        export { pool } from './server/database';
        import './tables';
        export { createPost } from './server/create-post';
        export { relay } from './server/relay';
        export { router } from './server/router';
      `,
      'server/relay.ts': `${files['server/relay.ts']}\nexport { relay };`,
    });
    const heard: string[] = [];
    const tab = openTab(stage);
    for (const channel of ['trpc:org:7', 'trpc:global'])
      await new Promise<void>((resolve) =>
        tab.subscribe(channel, () => heard.push(channel), { onJoin: () => resolve() }),
      );
    const { pool, createPost, relay, router } = await opened.run('app.ts');
    try {
      await createPost('7', 'Hello');
      await expect.poll(() => heard).toEqual(['trpc:org:7']);
      const caller = router.createCaller({});
      await caller.rename();
      await expect.poll(() => heard).toEqual(['trpc:org:7', 'trpc:global']);
      // A body that the table refuses takes the announcement with it; the one after it arrives alone.
      await expect(caller.create({ orgId: '7', body: '\0' })).rejects.toThrow();
      await caller.create({ orgId: '7', body: 'Again' });
      await expect.poll(() => heard.length).toBeGreaterThan(2);
      expect(heard.slice(2)).toEqual(['trpc:org:7']);
      expect((await pool.query('SELECT body FROM posts')).rows).toEqual([{ body: 'Hello' }, { body: 'Again' }]);
    } finally {
      await relay.stop();
      await pool.end();
    }
    account(context, 'run', ...snippetsOf(page).filter(({ file }) => file));
    expect(snippetIn(page, 'server/relay.ts').code).toContain('SIGTERM');
  });
} else it('needs PostgreSQL', (context) => excuse(context, `needs ${LANES.postgres.needs}`, page));
