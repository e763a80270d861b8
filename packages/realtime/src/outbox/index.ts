/**
 * Announcements inside a database transaction, and the relay that publishes them after the commit.
 *
 * Imported by server code that writes to PostgreSQL, and by the process that runs the relay.
 *
 * @module
 */

export { type ChannelName, Channels, defineChannels } from '../core/channel.ts';
export {
  ErrorCode,
  InvalidArgumentError,
  InvalidChannelError,
  InvalidMessageError,
  RealtimeError,
} from '../core/errors.ts';
export type { Message } from '../core/message.ts';
export { type CentrifugoConsumerOptions, centrifugoConsumer } from './centrifugo-consumer.ts';
export { type CentrifugoStreamOptions, centrifugoStream } from './centrifugo-stream.ts';
export { OutboxNotMigratedError, UnsupportedTransactionError } from './errors.ts';
export { migrateOutbox, outboxSchema } from './migrate-outbox.ts';
export type { RelayStatus } from './outbox-relay.ts';
export {
  type ChannelMessage,
  publishAllInTransaction,
  publishInTransaction,
  type TransactionalPublishOptions,
} from './publish-in-transaction.ts';
export type { PGliteDatabase, PgClient, PgPool, RelayDatabase } from './relay-connection.ts';
export type { RelayFault, RelayFaultKind } from './relay-faults.ts';
export type { RelayState } from './relay-state.ts';
export { type RelayTable, type RelayTableOptions, relayTable } from './relay-table.ts';
export type { SqlTransaction } from './sql-transaction.ts';
export { type OutboxRelayOptions, type RunningRelay, startOutboxRelay } from './start-outbox-relay.ts';
export type { OutboxTarget } from './target.ts';
