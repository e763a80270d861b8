import { parseSqlName, type SqlName } from './sql-name.ts';
import type { OutboxTarget } from './target.ts';

/** Where the trigger says that rows were written. One name for all tables: a relay that is woken for another table finds nothing. */
export const NOTIFICATION_CHANNEL = 'realtime_outbox';

/** Options of `relayTable`: writer and relay must have the same ones. */
export interface RelayTableOptions {
  /** With or without a schema. @default 'realtime_outbox' */
  readonly table?: string;
  /**
   * Whether writing wakes the relay at once. `false` leaves the trigger out of the migration: rows are then found within the relay's `pollMs`. PostgreSQL lets transactions
   * that notify commit one after the other, which is felt from some thousand of them a second.
   * @default true
   */
  readonly notify?: boolean;
}

/** Our own table. */
export interface RelayTable extends OutboxTarget {
  /** Tells it from the targets that Centrifugo reads. */
  readonly kind: 'relay-table';
  /** @internal */
  readonly table: SqlName;
}

/** A table of our own, that `startOutboxRelay` publishes from. For the embedded broker, and for any Centrifugo. */
export function relayTable({ table: name = 'realtime_outbox', notify = true }: RelayTableOptions = {}): RelayTable {
  const table = parseSqlName(name, 'The option table');
  return {
    kind: 'relay-table',
    table,
    migration: migrationOf(table, notify),
    migrationHint: `The table ${name} is missing. Run sql/realtime-outbox.sql of this package, or migrateOutbox(database).`,
    isJsonb: false,
    write: (announcements, tags) => ({
      // Text inside JSON: a message may hold what PostgreSQL's own JSON functions refuse, such as a NUL character.
      text: `INSERT INTO ${table.quoted} (channel, message, tags)
SELECT item->>'channel', item->>'message', $2::text
FROM json_array_elements($1::text::json) WITH ORDINALITY AS list (item, place) ORDER BY place`,
      parameters: [JSON.stringify(announcements), tags ? JSON.stringify(tags) : null],
    }),
  };
}

/** One statement, so that every library can run it, and all or nothing. Two that run at once wait for each other: `IF NOT EXISTS` alone does not. */
function migrationOf(table: SqlName, notify: boolean): string {
  return `DO $migration$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('@op/realtime migration'), hashtext('${table.plain}'));

  CREATE TABLE IF NOT EXISTS ${table.quoted} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The broker takes one publication per key, so a relay that publishes a row again doubles nothing.
    key uuid NOT NULL DEFAULT gen_random_uuid(),
    channel text NOT NULL,
    -- JSON as text: jsonb refuses strings that a message may hold.
    message text NOT NULL,
    tags text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Set where the broker will never take the row; a channel-invalidation was published in its place.
    failed_at timestamptz,
    failure text
  ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
${notify ? triggerOf(table) : ''}END
$migration$;
`;
}

function triggerOf(table: SqlName): string {
  return `
  CREATE OR REPLACE FUNCTION ${table.beside('notify')}() RETURNS trigger LANGUAGE plpgsql AS $notify$
  BEGIN
    PERFORM pg_notify('${NOTIFICATION_CHANNEL}', '');
    RETURN NULL;
  END
  $notify$;

  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '${table.quoted}'::regclass AND tgname = 'notify_relay') THEN
    CREATE TRIGGER notify_relay AFTER INSERT ON ${table.quoted}
      FOR EACH STATEMENT EXECUTE FUNCTION ${table.beside('notify')}();
  END IF;
`;
}
