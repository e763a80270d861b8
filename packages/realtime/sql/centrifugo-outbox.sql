DO $migration$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('@op/realtime migration'), hashtext('centrifugo_outbox'));

  CREATE TABLE IF NOT EXISTS "centrifugo_outbox" (
    id bigserial PRIMARY KEY,
    method text NOT NULL,
    payload jsonb NOT NULL,
    "partition" integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
  );

  CREATE OR REPLACE FUNCTION "centrifugo_outbox_notify"() RETURNS trigger LANGUAGE plpgsql AS $notify$
  BEGIN
    PERFORM pg_notify('centrifugo_partition_change', NEW."partition"::text);
    RETURN NULL;
  END
  $notify$;

  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"centrifugo_outbox"'::regclass AND tgname = 'notify_centrifugo') THEN
    CREATE TRIGGER notify_centrifugo AFTER INSERT ON "centrifugo_outbox"
      FOR EACH ROW EXECUTE FUNCTION "centrifugo_outbox_notify"();
  END IF;
END
$migration$;
