import { InvalidArgumentError } from '../core/errors.ts';
import { parseSqlName, type SqlName } from './sql-name.ts';
import type { Announcement, OutboxTarget, Tags } from './target.ts';

/** Options of `centrifugoConsumer`: they must say what the consumer of Centrifugo was told. */
export interface CentrifugoConsumerOptions {
  /** The consumer's `outbox_table_name`. @default 'centrifugo_outbox' */
  readonly table?: string;
  /** The consumer's `num_partitions`. Rows of a partition that the consumer does not have would wait for ever. @default 1 */
  readonly partitions?: number;
  /** The consumer's `partition_notification_channel`; `null` where it has none and polls. @default 'centrifugo_partition_change' */
  readonly notificationChannel?: string | null;
}

/**
 * The table of Centrifugo's own PostgreSQL consumer: Centrifugo publishes from it, no relay is needed.
 * https://centrifugal.dev/docs/server/consumers#postgresql-outbox
 * @throws InvalidArgumentError (`invalid_argument`)
 */
export function centrifugoConsumer({
  table: name = 'centrifugo_outbox',
  partitions = 1,
  notificationChannel = 'centrifugo_partition_change',
}: CentrifugoConsumerOptions = {}): OutboxTarget {
  const table = parseSqlName(name, 'The option table');
  if (notificationChannel !== null) parseSqlName(notificationChannel, 'The option notificationChannel');
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > 32_767)
    throw new InvalidArgumentError(`partitions must be a whole number from 1 to 32767, got ${String(partitions)}.`);
  return {
    kind: 'centrifugo-consumer',
    migration: migrationOf(table, notificationChannel),
    migrationHint: `The table ${name} is missing. Run sql/centrifugo-outbox.sql of this package, or migrateOutbox(database, centrifugoConsumer()).`,
    isJsonb: true,
    write: (announcements, tags) => ({
      // A channel always has the same partition, within which the consumer keeps the order of ids.
      text: `INSERT INTO ${table.quoted} (method, payload, "partition")
SELECT 'publish', item, ((hashtext(item->>'channel')::bigint & 2147483647) % $2::text::bigint)::integer
FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS list (item, place) ORDER BY place`,
      parameters: [`[${announcements.map((one) => payloadOf(one, tags)).join(',')}]`, String(partitions)],
    }),
  };
}

/** The parameters of Centrifugo's `publish`, which may happen twice: hence the key. Channel names need no escapes in JSON. */
function payloadOf({ channel, message }: Announcement, tags: Tags): string {
  const more = tags ? `,"tags":${JSON.stringify(tags)}` : '';
  return `{"channel":"${channel}","data":${message},"idempotency_key":"${crypto.randomUUID()}"${more}}`;
}

function migrationOf(table: SqlName, notificationChannel: string | null): string {
  return `DO $migration$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('@op/realtime migration'), hashtext('${table.plain}'));

  CREATE TABLE IF NOT EXISTS ${table.quoted} (
    id bigserial PRIMARY KEY,
    method text NOT NULL,
    payload jsonb NOT NULL,
    "partition" integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
  );
${notificationChannel === null ? '' : triggerOf(table, notificationChannel)}END
$migration$;
`;
}

function triggerOf(table: SqlName, notificationChannel: string): string {
  return `
  CREATE OR REPLACE FUNCTION ${table.beside('notify')}() RETURNS trigger LANGUAGE plpgsql AS $notify$
  BEGIN
    PERFORM pg_notify('${notificationChannel}', NEW."partition"::text);
    RETURN NULL;
  END
  $notify$;

  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '${table.quoted}'::regclass AND tgname = 'notify_centrifugo') THEN
    CREATE TRIGGER notify_centrifugo AFTER INSERT ON ${table.quoted}
      FOR EACH ROW EXECUTE FUNCTION ${table.beside('notify')}();
  END IF;
`;
}
