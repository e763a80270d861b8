import { OutboxNotMigratedError } from './errors.ts';
import { isMissingRelation } from './missing-relation.ts';
import { type OutboxRow, parseRow } from './outbox-row.ts';
import type { ConnectionEvents, OpenConnection, RelayConnection, SqlRow } from './relay-connection.ts';
import { NOTIFICATION_CHANNEL, type RelayTable } from './relay-table.ts';
import type { SqlParameter } from './target.ts';

/** What a relay asks of the table, over one connection. */
export interface OutboxStore {
  /** Whether the lock is ours now. It is given back by `close`, and by the database when the connection ends. */
  lock(): Promise<boolean>;
  /** The rows that wait, oldest first. */
  read(limit: number): Promise<readonly OutboxRow[]>;
  /** Deletes what was published. */
  remove(ids: readonly string[]): Promise<void>;
  /** Sets a row aside that can never be published. */
  setAside(id: string, reason: string): Promise<void>;
  close(): Promise<void>;
}

export type OpenStore = (events: ConnectionEvents) => Promise<OutboxStore>;

/** Larger than any message that was checked, small enough for a batch of them. */
const MAX_ROW_BYTES = 262_144;
const MAX_REASON_CHARS = 500;

/** The table in SQL. Rows are deleted, never counted past: ids become visible in the order of commits, and that is not their own. */
export function storeOpener(open: OpenConnection, target: RelayTable): OpenStore {
  return async (events) => new SqlStore(await open(NOTIFICATION_CHANNEL, events), target);
}

class SqlStore implements OutboxStore {
  readonly #connection: RelayConnection;
  readonly #target: RelayTable;
  #isLocked = false;

  constructor(connection: RelayConnection, target: RelayTable) {
    this.#connection = connection;
    this.#target = target;
  }

  async lock(): Promise<boolean> {
    // PGlite has one session, whose locks count up: so whether anybody has it is asked first.
    const [row] = await this.#query(
      `WITH lock AS (SELECT hashtext('@op/realtime relay') AS class, (${this.#regclass()}::oid::bigint - 2147483648)::integer AS object)
SELECT CASE WHEN EXISTS (
  SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = lock.class::oid AND objid = lock.object::oid AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted
) THEN false ELSE pg_try_advisory_lock(lock.class, lock.object) END AS locked FROM lock`,
    );
    this.#isLocked = row?.locked === true;
    return this.#isLocked;
  }

  async read(limit: number): Promise<readonly OutboxRow[]> {
    const rows = await this.#query(
      `SELECT id::text AS id, key::text AS key, left(channel, 300) AS channel,
  CASE WHEN octet_length(message) <= ${MAX_ROW_BYTES} THEN message END AS message,
  CASE WHEN octet_length(tags) <= ${MAX_ROW_BYTES} THEN tags END AS tags,
  (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms
FROM ${this.#table()} AS waiting WHERE failed_at IS NULL ORDER BY waiting.id LIMIT $1::text::integer`,
      [String(limit)],
    );
    return rows.map(parseRow);
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#query(
      `DELETE FROM ${this.#table()} WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::text::json))`,
      [JSON.stringify(ids)],
    );
  }

  async setAside(id: string, reason: string): Promise<void> {
    await this.#query(
      `UPDATE ${this.#table()} SET failed_at = clock_timestamp(), failure = $2::text WHERE id = $1::text::bigint`,
      [id, reason.slice(0, MAX_REASON_CHARS)],
    );
  }

  async close(): Promise<void> {
    try {
      // A session that goes on, as PGlite's does, would keep it.
      if (this.#isLocked)
        await this.#query(
          `SELECT pg_advisory_unlock(hashtext('@op/realtime relay'), (${this.#regclass()}::oid::bigint - 2147483648)::integer)`,
        );
    } finally {
      await this.#connection.close();
    }
  }

  #table(): string {
    return this.#target.table.quoted;
  }

  #regclass(): string {
    return `'${this.#target.table.quoted}'::regclass`;
  }

  async #query(text: string, parameters: readonly SqlParameter[] = []): Promise<readonly SqlRow[]> {
    try {
      return await this.#connection.query(text, parameters);
    } catch (error) {
      if (isMissingRelation(error)) throw new OutboxNotMigratedError(this.#target.migrationHint, { cause: error });
      throw error;
    }
  }
}
