import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasLane } from '../../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../../test/postgres.ts';
import { FakeApi } from '../../test/fake-api.ts';
import { Channels } from '../core/channel.ts';
import { createRealtime } from '../server/create-realtime.ts';
import {
  type Message,
  migrateOutbox,
  type OutboxRelayOptions,
  publishAllInTransaction,
  publishInTransaction,
  type RelayDatabase,
  type RelayFault,
  type RunningRelay,
  relayTable,
  startOutboxRelay,
} from './index.ts';

const ORG = Channels.org('1');
const ALL: Message = { type: 'channel-invalidation' };
const event = (name: string): Message => ({ type: 'event', name, data: '\0' });
const until = <T>(read: () => T) => expect.poll(read);

let api: FakeApi;
const relays: RunningRelay[] = [];
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await api.close();
});

function start(database: RelayDatabase, options: Partial<OutboxRelayOptions> = {}) {
  const faults: RelayFault[] = [];
  const relay = startOutboxRelay({
    database,
    realtime: createRealtime({ apiUrl: api.url, apiKey: 'key', spread: () => 0 }),
    retry: { minMs: 10, maxMs: 100 },
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  relays.push(relay);
  return { relay, faults };
}

const codeOf = (error: unknown) => (error as { code?: string } | null)?.code;

const folder = findPostgres();

describe.skipIf(!hasLane('postgres', folder))('a relay on PostgreSQL', () => {
  let cluster: PostgresCluster;
  let pool: pg.Pool;
  beforeAll(async () => {
    cluster = await startPostgres(folder!);
    pool = new pg.Pool({ connectionString: cluster.url });
    pool.on('error', () => {});
    await migrateOutbox(pool);
  });
  afterAll(async () => {
    await pool?.end();
    await cluster?.close();
  });
  afterEach(() => pool.query('DELETE FROM realtime_outbox'));

  const databases: Record<string, () => RelayDatabase> = {
    'a pool of pg': () => pool,
    'a client of pg': () => () => new pg.Client(cluster.url),
  };
  const rows = async () => (await pool.query('SELECT * FROM realtime_outbox ORDER BY id')).rows;

  async function commit(work: (tx: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await work(client);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  /** Ends the sessions that hold a relay's lock, as a restart of the database would. */
  const killLockHolders = () =>
    pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2`,
    );

  describe.each(Object.keys(databases))('through %s', (name) => {
    it('publishes what is committed, at once and in order, and deletes it', async () => {
      // So slow at polling that only the notification can be what wakes it.
      const { relay } = start(databases[name]!(), { pollMs: 600_000 });
      await until(() => relay.status.state).toBe('idle');
      await commit(async (tx) => {
        await publishInTransaction(tx, ORG, event('a'), { tags: { by: 'me' } });
        await publishAllInTransaction(tx, [
          { channel: ORG, message: event('b') },
          { channel: Channels.user('7'), message: ALL },
        ]);
      });
      await until(() => relay.status.published).toBe(3);
      expect(api.published.get(ORG)).toEqual([event('a'), event('b')]);
      expect(api.published.get('trpc:user:7')).toEqual([ALL]);
      expect(await rows()).toEqual([]);
      const [first] = api.requests.flatMap(
        ({ body }) => body.commands?.map((c: { publish: object }) => c.publish) ?? [body],
      );
      expect(first).toMatchObject({ tags: { by: 'me' }, idempotency_key: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    });

    it('stands by while another has the lock, and takes over when its session ends', async () => {
      const first = start(databases[name]!(), { pollMs: 50 });
      await until(() => first.relay.status.state).toBe('idle');
      const second = start(databases[name]!(), { pollMs: 50 });
      await until(() => second.relay.status.state).toBe('standby');
      await killLockHolders();
      await until(() => [first, second].map(({ relay }) => relay.status.state).sort()).toEqual(['idle', 'standby']);
      await commit((tx) => publishInTransaction(tx, ORG, ALL));
      await until(() => api.published.get(ORG)).toEqual([ALL]);
      await first.relay.stop();
      await second.relay.stop();
      expect((await pool.query(`SELECT FROM pg_locks WHERE locktype = 'advisory'`)).rowCount).toBe(0);
    });

    it('marks a row that anybody wrote and nobody can publish', async () => {
      await pool.query(`INSERT INTO realtime_outbox (channel, message) VALUES ('${ORG}', '{"type":"refresh"}')`);
      await pool.query(`INSERT INTO realtime_outbox (channel, message) VALUES ('${ORG}', repeat('x', 300000))`);
      const { relay } = start(databases[name]!(), { pollMs: 50 });
      await until(() => relay.status.deadLetters).toBe(2);
      expect(api.published.get(ORG)).toEqual([ALL, ALL]);
      expect(await rows()).toMatchObject([
        { failed_at: expect.any(Date), failure: 'not a message: unknown type "refresh"' },
        { failed_at: expect.any(Date), failure: 'the message is too large' },
      ]);
      // Put right by hand, it is published.
      await pool.query(
        `UPDATE realtime_outbox SET message = '{"type":"channel-invalidation"}', failed_at = NULL, failure = NULL`,
      );
      await until(() => relay.status.published).toBe(2);
    });
  });

  it('that lacks the table says which migration to run, and goes on once it was run', async () => {
    const target = relayTable({ table: 'later' });
    const { relay, faults } = start(pool, { target });
    await until(() => faults.map(({ error }) => codeOf(error))).toContain('outbox_not_migrated');
    expect(faults[0]?.error).toMatchObject({ message: expect.stringContaining('sql/realtime-outbox.sql') });
    await migrateOutbox(pool, target);
    await commit((tx) => publishInTransaction(tx, ORG, ALL, { target }));
    await until(() => relay.status.published).toBe(1);
  });

  it('that cannot be reached is tried again', async () => {
    const { relay, faults } = start(() => new pg.Client('postgres://nobody@127.0.0.1:1/nowhere'));
    await until(() => faults.length).toBeGreaterThan(2);
    expect(relay.status.state).not.toBe('idle');
  });

  it('with tables of its own has relays of its own', async () => {
    const target = relayTable({ table: 'another' });
    await migrateOutbox(pool, target);
    const one = start(pool);
    const two = start(pool, { target });
    await until(() => [one, two].map(({ relay }) => relay.status.state)).toEqual(['idle', 'idle']);
  });
});

describe('a relay on PGlite', () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create();
    await migrateOutbox(database);
  }, 180_000); // it makes a whole cluster, in WebAssembly: seconds on an idle machine

  afterAll(() => database?.close());

  it('publishes what a transaction committed, and nothing of one that was rolled back', async () => {
    const { relay } = start(database, { pollMs: 600_000 });
    await until(() => relay.status.state).toBe('idle');
    await database.transaction((tx) => publishInTransaction(tx, ORG, event('kept')));
    await database
      .transaction(async (tx) => {
        await publishInTransaction(tx, ORG, event('undone'));
        throw new Error('no');
      })
      .catch(() => {});
    await database.transaction((tx) => publishInTransaction(tx, ORG, event('last')));
    await until(() => api.published.get(ORG)).toEqual([event('kept'), event('last')]);
    await until(() => relay.status.published).toBe(2);
    expect((await database.query('SELECT * FROM realtime_outbox')).rows).toEqual([]);
  });

  it('is one of two at most, though there is only one session; the other takes over', async () => {
    const first = start(database, { pollMs: 50 });
    await until(() => first.relay.status.state).toBe('idle');
    const second = start(database, { pollMs: 50 });
    await until(() => second.relay.status.state).toBe('standby');
    await first.relay.stop();
    await until(() => second.relay.status.state).toBe('idle');
  });

  it('is told apart from a transaction', async () => {
    await expect(publishInTransaction(database, ORG, ALL)).rejects.toMatchObject({ code: 'unsupported_transaction' });
  });
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['an object', {}],
  ['an address', 'postgres://localhost/app'],
  ['postgres.js', Object.assign(() => null, { unsafe: () => null, begin: () => null, reserve: () => null })],
])('a relay that is given %s says what it needs', (_, database) => {
  expect(() => startOutboxRelay({ database: database as RelayDatabase })).toThrow(
    expect.objectContaining({ code: 'unsupported_transaction', message: expect.stringContaining('Pool of pg') }),
  );
});

it.each(['pollMs', 'batchSize', 'maxAttempts', 'databaseTimeoutMs'] as const)('a relay refuses a %s of 0', (option) => {
  expect(() => startOutboxRelay({ database: () => new pg.Client(), [option]: 0 })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(option) }),
  );
});
