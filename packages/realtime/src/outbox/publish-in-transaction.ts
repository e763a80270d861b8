import { type ChannelName, parseChannelName } from '../core/channel.ts';
import { InvalidMessageError } from '../core/errors.ts';
import { assertMessage, type Message } from '../core/message.ts';
import { MAX_MESSAGE_BYTES, serialize } from '../server/publication.ts';
import { traceCreation } from '../server/telemetry.ts';
import { OutboxNotMigratedError } from './errors.ts';
import { isMissingRelation } from './missing-relation.ts';
import { relayTable } from './relay-table.ts';
import { sqlOf } from './sql-transaction.ts';
import type { Announcement, OutboxTarget } from './target.ts';

/** Options of `publishInTransaction`. */
export interface TransactionalPublishOptions {
  /** Where the announcement is written. @default relayTable() */
  readonly target?: OutboxTarget;
  /** Text that goes with the publication, apart from the message. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Larger messages are refused, before anything is written. @default 65536 */
  readonly maxMessageBytes?: number;
}

/** One announcement of several. */
export interface ChannelMessage {
  /** Where it is announced. */
  readonly channel: ChannelName;
  /** What is announced. */
  readonly message: Message;
}

/**
 * Writes an announcement into the transaction, with the data that it announces: it is published at least once if the transaction commits, and never if it rolls back.
 *
 * ```ts
 * await db.transaction(async (tx) => {
 *   await tx.insert(posts).values(post);
 *   await publishInTransaction(tx, Channels.org(post.orgId), { type: 'channel-invalidation' });
 * });
 * ```
 * @param tx an open transaction of pg, Drizzle, Prisma, Kysely, PGlite or postgres.js, or anything with `runSql(text, parameters)`
 * @throws UnsupportedTransactionError (`unsupported_transaction`), InvalidChannelError (`invalid_channel`), InvalidMessageError (`invalid_message`),
 * OutboxNotMigratedError (`outbox_not_migrated`), and what the database says otherwise
 */
export async function publishInTransaction(
  tx: object,
  channel: ChannelName,
  message: Message,
  options?: TransactionalPublishOptions,
): Promise<void> {
  await publishAllInTransaction(tx, [{ channel, message }], options);
}

/** `publishInTransaction` for several announcements, in one statement. Those on one channel are published in the order of the list. */
export async function publishAllInTransaction(
  tx: object,
  announcements: readonly ChannelMessage[],
  options: TransactionalPublishOptions = {},
): Promise<void> {
  const { target = relayTable(), tags, maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  const sql = sqlOf(tx);
  // All is checked before anything is written: a transaction that a statement failed in is lost.
  const safe = target.isJsonb ? refusedByJsonb : (text: string) => text;
  const parsed = announcements.map(
    ({ channel, message }): Announcement => ({
      channel: parseChannelName(channel),
      message: safe(serialize(assertMessage(message), maxMessageBytes)),
    }),
  );
  if (tags) safe(JSON.stringify(tags));
  if (parsed.length === 0) return;
  const trace = traceCreation(parsed.map(({ channel }) => channel));
  const { text, parameters } = target.write(parsed, trace || tags ? { ...trace, ...tags } : undefined);
  try {
    await sql.runSql(text, parameters);
  } catch (error) {
    if (isMissingRelation(error)) throw new OutboxNotMigratedError(target.migrationHint, { cause: error });
    throw error;
  }
}

/** In the text of `JSON.stringify` these escapes stand only for what is not valid Unicode, and for NUL. */
const NOT_IN_JSONB = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

function refusedByJsonb(text: string): string {
  if (NOT_IN_JSONB.test(text))
    throw new InvalidMessageError(
      'A message for Centrifugo by way of PostgreSQL cannot hold a NUL character or half of a surrogate pair: jsonb refuses them.',
    );
  return text;
}
