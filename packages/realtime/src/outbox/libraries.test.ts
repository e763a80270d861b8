import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasLane } from '../../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../../test/postgres.ts';
import { LIBRARIES, type Library } from '../../test/outbox/libraries.ts';
import { Channels } from '../core/channel.ts';
import {
  centrifugoConsumer,
  centrifugoStream,
  type Message,
  migrateOutbox,
  publishAllInTransaction,
  publishInTransaction,
  relayTable,
} from './index.ts';

const folder = findPostgres();
const ORG = Channels.org('1');
/** What databases, drivers and JSON inside JSON could each get wrong. */
const AWKWARD: Message = {
  type: 'event',
  name: "'; DROP TABLE x; --",
  data: ['$1', '\\u0000', '"', '\u{1F600}', { a: null }],
};
const NUL: Message = { type: 'event', name: 'nul', data: '\0 \ud800' };
const ALL: Message = { type: 'channel-invalidation' };

describe.skipIf(!hasLane('postgres', folder))('a transaction on PostgreSQL', () => {
  let cluster: PostgresCluster;
  let admin: pg.Client;
  beforeAll(async () => {
    cluster = await startPostgres(folder!);
    admin = new pg.Client(cluster.url);
    await admin.connect();
    await admin.query('CREATE SCHEMA app');
    await migrateOutbox(admin);
    await migrateOutbox(admin, relayTable({ table: 'app.outbox', notify: false }));
    await migrateOutbox(admin, centrifugoConsumer({ partitions: 4 }));
  });
  afterAll(async () => {
    await admin?.end();
    await cluster?.close();
  });

  const rows = async (statement: string) => (await admin.query(statement)).rows;

  describe.each(Object.keys(LIBRARIES))('of %s', (name) => {
    let library: Library;
    beforeAll(async () => {
      library = await LIBRARIES[name]!(cluster.url);
    });
    afterAll(() => library?.close());

    it('writes announcements in order if it commits', async () => {
      await admin.query('DELETE FROM realtime_outbox');
      await library.transaction(async (tx) => {
        await publishInTransaction(tx, ORG, AWKWARD, { tags: { by: 'me\0' } });
        await publishAllInTransaction(tx, [
          { channel: Channels.user('7'), message: NUL },
          { channel: ORG, message: ALL },
        ]);
      });
      const written = await rows('SELECT channel, message, tags, failed_at FROM realtime_outbox ORDER BY id');
      expect(written.map(({ channel, message, tags }) => [channel, JSON.parse(message), JSON.parse(tags)])).toEqual([
        [ORG, AWKWARD, { by: 'me\0' }],
        ['trpc:user:7', NUL, null],
        [ORG, ALL, null],
      ]);
    });

    it('leaves nothing if it rolls back', async () => {
      await admin.query('DELETE FROM realtime_outbox');
      const rollback = library.transaction(async (tx) => {
        await publishInTransaction(tx, ORG, ALL);
        throw new Error('no');
      });
      await expect(rollback).rejects.toThrow('no');
      expect(await rows('SELECT * FROM realtime_outbox')).toEqual([]);
    });

    it("writes what Centrifugo's consumer reads", async () => {
      await admin.query('DELETE FROM centrifugo_outbox');
      const target = centrifugoConsumer({ partitions: 4 });
      await library.transaction(async (tx) => {
        await publishAllInTransaction(
          tx,
          [
            { channel: ORG, message: AWKWARD },
            { channel: ORG, message: ALL },
          ],
          { target, tags: { by: 'me' } },
        );
      });
      const written = await rows('SELECT method, payload, partition FROM centrifugo_outbox ORDER BY id');
      expect(written).toEqual([
        {
          method: 'publish',
          payload: { channel: ORG, data: AWKWARD, idempotency_key: expect.any(String), tags: { by: 'me' } },
          partition: expect.any(Number),
        },
        {
          method: 'publish',
          payload: { channel: ORG, data: ALL, idempotency_key: expect.any(String), tags: { by: 'me' } },
          partition: written[0].partition,
        },
      ]);
      expect([0, 1, 2, 3]).toContain(written[0].partition);
      expect(written[0].payload.idempotency_key).not.toBe(written[1].payload.idempotency_key);
    });

    it('uses a table in a schema of its own', async () => {
      await admin.query('DELETE FROM app.outbox');
      await library.transaction((tx) =>
        publishInTransaction(tx, ORG, ALL, { target: relayTable({ table: 'app.outbox' }) }),
      );
      expect(await rows('SELECT channel FROM app.outbox')).toEqual([{ channel: ORG }]);
    });

    it.each([
      ['table', relayTable({ table: 'nowhere' }), 'sql/realtime-outbox.sql'],
      ['schema', relayTable({ table: 'no_schema.outbox' }), 'sql/realtime-outbox.sql'],
      ["consumer's table", centrifugoConsumer({ table: 'nowhere' }), 'sql/centrifugo-outbox.sql'],
      ["broker's function", centrifugoStream(), 'CENTRIFUGO_BROKER_TYPE=postgres'],
    ])('of a database without the %s is told which migration is missing', async (_, target, hint) => {
      let refusal: unknown;
      const attempt = library.transaction(async (tx) => {
        await publishInTransaction(tx, ORG, ALL, { target }).catch((error: unknown) => {
          refusal = error;
          throw error;
        });
      });
      await expect(attempt).rejects.toThrow();
      expect(refusal).toMatchObject({ code: 'outbox_not_migrated', message: expect.stringContaining(hint) });
    });

    it('is told apart from the database, which has no transaction open', async () => {
      await expect(publishInTransaction(library.database, ORG, ALL)).rejects.toMatchObject({
        code: 'unsupported_transaction',
        message: expect.stringContaining(`This is ${library.name}, but not an open transaction`),
      });
    });

    it('migrates through the database itself, twice and at once', async () => {
      await admin.query('DROP TABLE IF EXISTS fresh');
      const target = relayTable({ table: 'fresh' });
      await Promise.all([migrateOutbox(library.database, target), migrateOutbox(admin, target)]);
      await migrateOutbox(library.database, target);
      await library.transaction((tx) => publishInTransaction(tx, ORG, ALL, { target }));
      expect(await rows('SELECT channel FROM fresh')).toEqual([{ channel: ORG }]);
    });
  });
});
