import { relayTable } from './relay-table.ts';
import { sqlOf } from './sql-transaction.ts';
import type { OutboxTarget } from './target.ts';

/**
 * The migration as SQL: one statement, safe to run again. Empty for `centrifugoStream`, whose tables Centrifugo makes.
 *
 * For tables of the usual names it is also a file of this package: `sql/realtime-outbox.sql`, `sql/centrifugo-outbox.sql`.
 */
export function outboxSchema(target: OutboxTarget = relayTable()): string {
  return target.migration ?? '';
}

/**
 * Runs the migration. Safe to run again, and by several processes at once.
 *
 * @param database of any library that `publishInTransaction` knows; a transaction will do
 * @throws UnsupportedTransactionError (`unsupported_transaction`), and what the database says
 */
export async function migrateOutbox(database: object, target: OutboxTarget = relayTable()): Promise<void> {
  const sql = sqlOf(database, true);
  if (target.migration !== null) await sql.runSql(target.migration, []);
}
