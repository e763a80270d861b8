import { InvalidArgumentError } from '../core/errors.ts';

const NAME = /^(?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*$/;
/** PostgreSQL cuts longer names off; what is derived from a name must fit too. */
const MAX_LENGTH = 50;

/** The name of a table, with or without a schema, as it may stand in SQL. */
export interface SqlName {
  /** As given: `app.realtime_outbox`. */
  readonly plain: string;
  /** In quotes: `"app"."realtime_outbox"`. */
  readonly quoted: string;
  /** The name of something that belongs to it, in the same schema: `beside('notify')` is `"app"."realtime_outbox_notify"`. */
  beside(suffix: string): string;
}

/**
 * Checks a name that becomes part of a statement.
 * @throws InvalidArgumentError (`invalid_argument`)
 */
export function parseSqlName(name: string, what: string): SqlName {
  const parts = typeof name === 'string' && NAME.test(name) ? name.split('.') : [];
  if (parts.length === 0 || parts.some((part) => part.length > MAX_LENGTH))
    throw new InvalidArgumentError(
      `${what} must be a name like realtime_outbox or app.realtime_outbox (a-z, 0-9 and _, at most ${MAX_LENGTH} characters a part).`,
    );
  const quote = (names: readonly string[]) => names.map((part) => `"${part}"`).join('.');
  return {
    plain: name,
    quoted: quote(parts),
    beside: (suffix) => quote([...parts.slice(0, -1), `${parts[parts.length - 1]}_${suffix}`]),
  };
}
