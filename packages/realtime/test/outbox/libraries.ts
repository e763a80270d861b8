import { PrismaPg } from '@prisma/adapter-pg';
import * as prismaRuntime from '@prisma/client/runtime/client';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';

/** One library, connected to a real PostgreSQL. */
export interface Library {
  readonly name: string;
  /** What is no transaction though it is of this library: a pool, the client before `BEGIN`. */
  readonly database: object;
  /** Runs `work` in a transaction, which rolls back where it rejects. */
  transaction(work: (tx: object) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** The server may end before the last connection does. */
function poolOf(url: string): pg.Pool {
  return new pg.Pool({ connectionString: url }).on('error', () => {});
}

const quiet = { onnotice: () => {} };

export const LIBRARIES: Readonly<Record<string, (url: string) => Promise<Library>>> = {
  async pg(url) {
    const client = new pg.Client(url);
    await client.connect();
    return {
      name: 'pg',
      database: client,
      async transaction(work) {
        await client.query('BEGIN');
        try {
          await work(client);
          await client.query('COMMIT');
        } catch (error) {
          await client.query('ROLLBACK');
          throw error;
        }
      },
      close: () => client.end(),
    };
  },
  async 'a client of a pg pool'(url) {
    const pool = poolOf(url);
    return {
      name: 'pg',
      database: pool,
      async transaction(work) {
        const client = await pool.connect();
        try {
          await client.query('BEGIN');
          await work(client);
          await client.query('COMMIT');
        } catch (error) {
          await client.query('ROLLBACK');
          throw error;
        } finally {
          client.release();
        }
      },
      close: () => pool.end(),
    };
  },
  async 'Drizzle on pg'(url) {
    const pool = poolOf(url);
    const db = drizzlePg(pool, { casing: 'snake_case' });
    return {
      name: 'Drizzle',
      database: db,
      transaction: (work) => db.transaction(work),
      close: () => pool.end(),
    };
  },
  async 'Drizzle on postgres.js'(url) {
    const sql = postgres(url, quiet);
    const db = drizzlePostgresJs(sql);
    return { name: 'Drizzle', database: db, transaction: (work) => db.transaction(work), close: () => sql.end() };
  },
  async Kysely(url) {
    const db = new Kysely<object>({
      dialect: new PostgresDialect({ pool: poolOf(url) }),
      plugins: [new CamelCasePlugin()],
    });
    return {
      name: 'Kysely',
      database: db,
      transaction: (work) => db.transaction().execute(work),
      close: () => db.destroy(),
    };
  },
  async 'postgres.js'(url) {
    const sql = postgres(url, quiet);
    return {
      name: 'postgres.js',
      database: sql,
      transaction: (work) => sql.begin((tx) => work(tx)) as Promise<void>,
      close: () => sql.end(),
    };
  },
  async Prisma(url) {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
    return {
      name: 'Prisma',
      database: prisma,
      transaction: (work) => prisma.$transaction(work),
      close: () => prisma.$disconnect(),
    };
  },
};

interface Prisma {
  $transaction<T>(work: (tx: object) => Promise<T>): Promise<T>;
  $disconnect(): Promise<void>;
}

/** These files have no types. */
const COMPILER: string = import.meta
  .resolve('@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs')
  .slice(0, -4);

/**
 * What `prisma generate` writes for a schema without models, so that neither its command nor an engine is needed: since version 7 the client runs on a driver of JavaScript.
 */
const PrismaClient = prismaRuntime.getPrismaClient({
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: '0',
  activeProvider: 'postgresql',
  inlineSchema:
    'generator client {\n  provider = "prisma-client"\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: 'AAAAAAAAAAAAAAAAAAAAAA' },
  compilerWasm: {
    getRuntime: () => import(`${COMPILER}.mjs`),
    async getQueryCompilerWasmModule() {
      const { wasm } = await import(`${COMPILER}.wasm-base64.mjs`);
      return new WebAssembly.Module(Buffer.from(wasm, 'base64'));
    },
    importName: './query_compiler_fast_bg.js',
  },
} as unknown as Parameters<typeof prismaRuntime.getPrismaClient>[0]) as unknown as new (options: {
  readonly adapter: PrismaPg;
}) => Prisma;
