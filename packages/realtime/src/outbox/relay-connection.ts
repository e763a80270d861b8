import type { Clock } from '../core/clock.ts';
import { RealtimeError } from '../core/errors.ts';
import { withDeadline } from '../server/deadline.ts';
import { UnsupportedTransactionError } from './errors.ts';
import type { SqlParameter } from './target.ts';

export type SqlRow = Readonly<Record<string, unknown>>;

/** One connection to the database, kept open: the lock and the notifications belong to it. */
export interface RelayConnection {
  query(text: string, parameters: readonly SqlParameter[]): Promise<readonly SqlRow[]>;
  close(): Promise<void>;
}

export interface ConnectionEvents {
  /** Something was written. */
  readonly onNotified: () => void;
  /** The connection broke. May be called several times. */
  readonly onLost: (error: unknown) => void;
}

/** Opens a connection that listens on a notification channel. */
export type OpenConnection = (notificationChannel: string, events: ConnectionEvents) => Promise<RelayConnection>;

/** pg's `Client`, as far as it is used. */
export interface PgClient {
  /** Opens the connection. */
  connect(): Promise<unknown>;
  /** Runs a statement, `$1` being the first of `values`. */
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly SqlRow[] }>;
  /** The connection broke. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** The connection ended, by either side. */
  on(event: 'end', listener: () => void): unknown;
  /** Something was written, by what `LISTEN` asked for. */
  on(event: 'notification', listener: () => void): unknown;
  /** Closes the connection. */
  end(): Promise<unknown>;
}

/** pg's `Pool`, as far as it is used. */
export interface PgPool {
  /** A client of its own; `release(true)` closes its connection. */
  connect(): Promise<Omit<PgClient, 'connect' | 'end'> & { release(destroy?: boolean): void }>;
  /** By this a pool is known. */
  readonly totalCount: number;
}

/** PGlite, as far as it is used. */
export interface PGliteDatabase {
  /** Runs a statement, `$1` being the first of `values`. */
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  /** Calls back at each notification, until the returned function is called. */
  listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>;
}

/**
 * A database that a relay can keep a connection to: a pool of pg, a function that makes a client of pg (for an address of its own, past a pooler), or PGlite.
 * Where the app uses Drizzle, Kysely or Prisma, it is the pool or client below it. Not postgres.js: in its version 3.4 a session that the server ends at the wrong moment
 * ends the process.
 */
export type RelayDatabase = PgPool | (() => PgClient) | PGliteDatabase;

/** @throws UnsupportedTransactionError (`unsupported_transaction`) */
export function connectionOpener(database: RelayDatabase): OpenConnection {
  if (typeof database === 'function' && !('unsafe' in database))
    return (channel, events) => openPg(database(), channel, events);
  if (isPool(database)) return (channel, events) => openPooled(database, channel, events);
  if (isPglite(database)) return (channel, events) => openPglite(database, channel, events);
  throw new UnsupportedTransactionError(
    'The relay needs a connection of its own: pass a Pool of pg, a function that makes a Client of pg, or PGlite.',
  );
}

function isPool(database: unknown): database is PgPool {
  return typeof database === 'object' && database !== null && 'totalCount' in database && 'connect' in database;
}

function isPglite(database: unknown): database is PGliteDatabase {
  return typeof database === 'object' && database !== null && 'listen' in database && 'query' in database;
}

async function openPg(client: PgClient, channel: string, events: ConnectionEvents): Promise<RelayConnection> {
  follow(client, events);
  await client.connect();
  return listening(client, channel, async () => {
    await client.end();
  });
}

async function openPooled(pool: PgPool, channel: string, events: ConnectionEvents): Promise<RelayConnection> {
  const client = await pool.connect();
  follow(client, events);
  // Given back to the pool it would still listen, and perhaps have the lock.
  return listening(client, channel, async () => client.release(true));
}

function follow(client: Pick<PgClient, 'on'>, { onNotified, onLost }: ConnectionEvents): void {
  client.on('error', onLost);
  client.on('end', () => onLost(new DatabaseConnectionError()));
  client.on('notification', onNotified);
}

async function listening(
  client: Pick<PgClient, 'query'>,
  channel: string,
  close: () => Promise<void>,
): Promise<RelayConnection> {
  try {
    await client.query(`LISTEN ${channel}`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    query: async (text, parameters) => (await client.query(text, [...parameters])).rows,
    close,
  };
}

async function openPglite(
  database: PGliteDatabase,
  channel: string,
  { onNotified }: ConnectionEvents,
): Promise<RelayConnection> {
  const unlisten = await database.listen(channel, onNotified);
  return {
    query: async (text, parameters) => (await database.query(text, [...parameters])).rows as readonly SqlRow[],
    close: unlisten,
  };
}

class DatabaseConnectionError extends RealtimeError {
  override readonly name = 'DatabaseConnectionError';
  constructor() {
    super('disconnected', 'The connection to the database ended.');
  }
}

/** A connection whose peer is silent is as good as lost. */
class DatabaseTimeoutError extends RealtimeError {
  override readonly name = 'DatabaseTimeoutError';
  constructor(timeoutMs: number) {
    super('timeout', `The database did not answer within ${timeoutMs} ms.`);
  }
}

/** The same with a time limit for opening and for each statement. */
export function withTimeouts(open: OpenConnection, clock: Clock, timeoutMs: number): OpenConnection {
  const limited = <T>(run: () => Promise<T>) =>
    withDeadline(clock, timeoutMs, () => new DatabaseTimeoutError(timeoutMs), run);
  return async (channel, events) => {
    const opening = open(channel, events);
    const connection = await limited(() => opening).catch((error: unknown) => {
      // It may come yet.
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    });
    return {
      query: (text, parameters) => limited(() => connection.query(text, parameters)),
      close: () => limited(() => connection.close()),
    };
  };
}
