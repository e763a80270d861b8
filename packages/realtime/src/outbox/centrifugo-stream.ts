import { InvalidArgumentError } from '../core/errors.ts';
import { parseSqlName } from './sql-name.ts';
import type { OutboxTarget } from './target.ts';

/** Options of `centrifugoStream`: they must say what Centrifugo's PostgreSQL broker was told. */
export interface CentrifugoStreamOptions {
  /** The broker's `table_prefix`, with or without a schema. @default 'cf' */
  readonly prefix?: string;
  /** The namespace's `history_size`: this publish does not pass Centrifugo, which would know it. @default 300 */
  readonly historySize?: number;
  /** The namespace's `history_ttl`. @default 600 (10 minutes) */
  readonly historyTtlSeconds?: number;
}

/**
 * Centrifugo's PostgreSQL stream broker: the publication is written into its stream, in your transaction, with `cf_stream_publish`. Centrifugo makes table and function itself.
 *
 * The function locks the channel's shard until the transaction ends, so transactions that announce wait for each other from there on: announce last.
 * @throws InvalidArgumentError (`invalid_argument`)
 */
export function centrifugoStream({
  prefix = 'cf',
  historySize = 300,
  historyTtlSeconds = 600,
}: CentrifugoStreamOptions = {}): OutboxTarget {
  const name = parseSqlName(prefix, 'The option prefix');
  for (const [option, value] of Object.entries({ historySize, historyTtlSeconds }))
    if (!Number.isSafeInteger(value) || value < 1 || value > 2_147_483_647)
      throw new InvalidArgumentError(`${option} must be a whole number from 1, got ${String(value)}.`);
  const publish = name.beside('stream_publish');
  const shards = name.beside('stream_shard_lock');
  return {
    kind: 'centrifugo-stream',
    migration: null,
    migrationHint: `The function ${prefix}_stream_publish is missing. Centrifugo makes it when it starts with CENTRIFUGO_BROKER_TYPE=postgres on this database; there is no migration of ours.`,
    isJsonb: true,
    write: (announcements, tags) => ({
      // Shards are locked in one order by everybody, so two transactions with several channels do not wait for each other in a circle.
      text: `SELECT count(*)::integer AS published FROM (
  SELECT item FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS list (item, place)
  ORDER BY abs(hashtext(item->>'channel')::bigint) % (SELECT count(*) FROM ${shards}), place OFFSET 0
) AS ordered, LATERAL ${publish}(
  p_channel => item->>'channel', p_data => item->'data', p_tags => $2::text::jsonb,
  p_history_size => $3::text::integer, p_history_ttl => make_interval(secs => $4::text::integer)
) AS publication`,
      parameters: [
        `[${announcements.map(({ channel, message }) => `{"channel":"${channel}","data":${message}}`).join(',')}]`,
        tags ? JSON.stringify(tags) : null,
        String(historySize),
        String(historyTtlSeconds),
      ],
    }),
  };
}
