import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import type { Database } from './database.ts';

/** PostgreSQL in this very process, in memory: every start of the demo begins with the same believable data. */
export async function openPglite(): Promise<Database> {
  const client = await createFromSnapshot();
  return {
    db: drizzle(client),
    description: 'PGlite, in memory',
    // An instance left open keeps Node alive for minutes.
    close: async () => {
      if (!client.closed) await client.close();
    },
  };
}

/** Making an empty cluster takes seconds, loading one a fraction of it: the first start leaves a snapshot for the next ones. */
async function createFromSnapshot(): Promise<PGlite> {
  const path = await snapshotPath();
  try {
    return await PGlite.create({ loadDataDir: new Blob([await readFile(path)]) });
  } catch {
    // No snapshot yet, or a broken one: the slow way always works.
  }
  const client = await PGlite.create();
  const snapshot = await client.dumpDataDir('none');
  try {
    await mkdir(dirname(path), { recursive: true });
    // Another demo may be writing the same file: a rename is all or nothing.
    const part = `${path}.${process.pid}`;
    await writeFile(part, Buffer.from(await snapshot.arrayBuffer()));
    await rename(part, path);
  } catch {
    // A read-only install only costs the speed.
  }
  return client;
}

/** A snapshot belongs to the PGlite that made it. */
async function snapshotPath(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = JSON.parse(await readFile(join(dirname(entry), '../package.json'), 'utf8')) as {
    version: string;
  };
  return join(import.meta.dirname, '../../../node_modules/.cache/pglite', `empty-${version}.tar`);
}
