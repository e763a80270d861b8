DO $migration$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('@op/realtime migration'), hashtext('realtime_outbox'));

  CREATE TABLE IF NOT EXISTS "realtime_outbox" (
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

  CREATE OR REPLACE FUNCTION "realtime_outbox_notify"() RETURNS trigger LANGUAGE plpgsql AS $notify$
  BEGIN
    PERFORM pg_notify('realtime_outbox', '');
    RETURN NULL;
  END
  $notify$;

  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"realtime_outbox"'::regclass AND tgname = 'notify_relay') THEN
    CREATE TRIGGER notify_relay AFTER INSERT ON "realtime_outbox"
      FOR EACH STATEMENT EXECUTE FUNCTION "realtime_outbox_notify"();
  END IF;
END
$migration$;
