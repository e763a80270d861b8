import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { MIGRATIONS } from './migrations.ts';
import { seed } from './seed.ts';

/** The part of Drizzle that both drivers share; a transaction is one too. */
export type Db = PgDatabase<PgQueryResultHKT>;

export interface Database {
  readonly db: Db;
  /** For the line that the demo prints. */
  readonly description: string;
  close(): Promise<void>;
}

/** Opens PostgreSQL where a URL is given and PGlite otherwise, brings the tables up to date, and fills an empty database. */
export async function openDatabase(databaseUrl: string | undefined): Promise<Database> {
  const database = databaseUrl
    ? await (await import('./postgres.ts')).openPostgres(databaseUrl)
    : await (await import('./pglite.ts')).openPglite();
  try {
    await prepare(database.db);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Any number that other users of the database are unlikely to take: two demos may start at once on one database. */
const MIGRATION_LOCK = 7_203_114;

async function prepare(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await tx.execute(sql`CREATE SCHEMA IF NOT EXISTS op_demo`);
    await tx.execute(sql`CREATE TABLE IF NOT EXISTS op_demo.migrations (id text PRIMARY KEY)`);
    for (const migration of MIGRATIONS) {
      const inserted = await tx.execute(
        sql`INSERT INTO op_demo.migrations VALUES (${migration.id}) ON CONFLICT DO NOTHING RETURNING id`,
      );
      if (rowsOf(inserted).length === 0) continue;
      for (const statement of migration.statements) await tx.execute(sql.raw(statement));
    }
    await seed(tx, new Date());
  });
}

/** Both drivers answer `{ rows }`; Drizzle's common type does not say so. */
function rowsOf(result: unknown): readonly unknown[] {
  const rows = (result as { rows?: unknown }).rows;
  return Array.isArray(rows) ? rows : [];
}
