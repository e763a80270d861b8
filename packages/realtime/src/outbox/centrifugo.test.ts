import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findCentrifugo } from '../../../../conformance/drivers/centrifugo.ts';
import { type Launched, launch } from '../../../../conformance/drivers/launcher.ts';
import { freePort } from '../../../../test/free-port.ts';
import { hasLane } from '../../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../../test/postgres.ts';
import { RealtimeManager } from '../client/index.node.ts';
import { Channels } from '../core/channel.ts';
import { createRealtime } from '../server/create-realtime.ts';
import type { Realtime } from '../server/realtime.ts';
import {
  centrifugoConsumer,
  centrifugoStream,
  type Message,
  migrateOutbox,
  type OutboxTarget,
  publishAllInTransaction,
  publishInTransaction,
} from './index.ts';

/** What Centrifugo itself reads: its consumer's table, and the stream of its PostgreSQL broker. */

const folder = findPostgres();
const source = findCentrifugo();
const path = source?.kind === 'binary' ? source.path : undefined;
const runs = hasLane('postgres', folder) && hasLane('centrifugo', path);

const ORG = Channels.org('1');
const event = (name: string, data: unknown = null): Message => ({ type: 'event', name, data });

const SETTINGS = {
  CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
  CENTRIFUGO_HTTP_API_KEY: 'key',
  CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 'secret',
  CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
  CENTRIFUGO_HEALTH_ENABLED: 'true',
  CENTRIFUGO_USAGE_STATS_DISABLED: 'true',
};

const KINDS: { readonly name: string; readonly target: OutboxTarget; settings(dsn: string): Record<string, string> }[] =
  [
    {
      name: "Centrifugo's outbox consumer",
      target: centrifugoConsumer({ partitions: 3 }),
      settings: (dsn) => ({
        CENTRIFUGO_CONSUMERS: 'outbox',
        CENTRIFUGO_CONSUMERS_OUTBOX_ENABLED: 'true',
        CENTRIFUGO_CONSUMERS_OUTBOX_TYPE: 'postgresql',
        CENTRIFUGO_CONSUMERS_OUTBOX_POSTGRESQL_DSN: dsn,
        CENTRIFUGO_CONSUMERS_OUTBOX_POSTGRESQL_OUTBOX_TABLE_NAME: 'centrifugo_outbox',
        CENTRIFUGO_CONSUMERS_OUTBOX_POSTGRESQL_NUM_PARTITIONS: '3',
        CENTRIFUGO_CONSUMERS_OUTBOX_POSTGRESQL_PARTITION_NOTIFICATION_CHANNEL: 'centrifugo_partition_change',
      }),
    },
    {
      name: "Centrifugo's PostgreSQL stream broker",
      target: centrifugoStream(),
      settings: (dsn) => ({
        CENTRIFUGO_BROKER_ENABLED: 'true',
        CENTRIFUGO_BROKER_TYPE: 'postgres',
        CENTRIFUGO_BROKER_POSTGRES_DSN: dsn,
        CENTRIFUGO_BROKER_POSTGRES_USE_NOTIFY: 'true',
      }),
    },
  ];

describe.skipIf(!runs)('a real Centrifugo', () => {
  let cluster: PostgresCluster;
  let database: pg.Client;
  let centrifugo: Launched | undefined;
  let manager: RealtimeManager | undefined;
  beforeAll(async () => {
    cluster = await startPostgres(folder!);
    database = new pg.Client(cluster.url);
    await database.connect();
  });
  afterEach(async () => {
    manager?.dispose();
    await centrifugo?.stop();
    centrifugo = undefined;
  });
  afterAll(async () => {
    await database?.end();
    await cluster?.close();
  });

  async function start(settings: Record<string, string>): Promise<Realtime> {
    const port = await freePort();
    centrifugo = await launch({
      command: path!,
      args: [],
      healthUrl: `http://127.0.0.1:${port}/health`,
      variables: { ...SETTINGS, CENTRIFUGO_HTTP_SERVER_PORT: String(port), ...settings },
    });
    const realtime = createRealtime({
      apiUrl: `http://127.0.0.1:${port}/api`,
      apiKey: 'key',
      tokenSecret: 'secret',
      subscriberCountMaxAgeMs: 1,
    });
    manager = new RealtimeManager({
      wsUrl: `ws://127.0.0.1:${port}/connection/websocket`,
      getToken: () => realtime.createConnectionToken({ userId: '7' }),
    });
    return realtime;
  }

  async function transaction(work: () => Promise<void>): Promise<void> {
    await database.query('BEGIN');
    try {
      await work();
      await database.query('COMMIT');
    } catch (error) {
      await database.query('ROLLBACK');
      throw error;
    }
  }

  it.each(KINDS)(
    'publishes through $name what commits, in order, and nothing that rolls back',
    async ({ target, settings }) => {
      await migrateOutbox(database, target);
      const realtime = await start(settings(cluster.url));
      const received: Message[] = [];
      manager?.subscribe(Channels.user('7'), (message) => received.push(message));
      await expect.poll(() => realtime.subscriberCount(Channels.user('7'))).toBe(1);
      const awkward = event('awkward', ["'$1\\", '\u{1F600}', { nested: [null] }]);
      await transaction(async () => {
        await publishInTransaction(database, ORG, event('first'), { target, tags: { by: 'me' } });
        await publishAllInTransaction(
          database,
          [
            { channel: Channels.user('7'), message: { type: 'channel-invalidation' } },
            { channel: ORG, message: awkward },
          ],
          { target },
        );
      });
      const undone = transaction(async () => {
        await publishInTransaction(database, ORG, event('undone'), { target });
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      await transaction(() => publishInTransaction(database, ORG, event('last'), { target }));

      const published = async (channel: typeof ORG) =>
        (await realtime.history(channel, { limit: -1 })).publications.map(({ data, tags }) => ({ data, tags }));
      await expect
        .poll(() => published(ORG))
        .toEqual([
          { data: event('first'), tags: { by: 'me' } },
          { data: awkward, tags: {} },
          { data: event('last'), tags: {} },
        ]);
      await expect
        .poll(() => published(Channels.user('7') as typeof ORG))
        .toEqual([{ data: { type: 'channel-invalidation' }, tags: {} }]);
      await expect.poll(() => received).toEqual([{ type: 'channel-invalidation' }]);
      if (target.kind === 'centrifugo-consumer')
        await expect.poll(async () => (await database.query('SELECT FROM centrifugo_outbox')).rowCount).toBe(0);
    },
  );

  it('is not kept waiting by transactions that announce on the same channels in another order', async () => {
    await start(KINDS[1]!.settings(cluster.url));
    const target = centrifugoStream();
    const channels = ['1', '2', '3', '4', '5', '6', '7', '8'].map((org) => Channels.org(org));
    const announce = async (order: readonly (typeof ORG)[]) => {
      const client = new pg.Client(cluster.url);
      await client.connect();
      try {
        for (let round = 0; round < 20; round++) {
          await client.query('BEGIN');
          await publishAllInTransaction(
            client,
            order.map((channel) => ({ channel, message: event('x') })),
            { target },
          );
          await client.query('COMMIT');
        }
      } finally {
        await client.end();
      }
    };
    // A circle would end with PostgreSQL's "deadlock detected".
    await Promise.all([announce(channels), announce([...channels].reverse()), announce(channels.slice(3))]);
  });
});
