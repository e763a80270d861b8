import { ErrorCode, RealtimeError } from '../core/errors.ts';

/** The database lacks the table or the function that an announcement is written with; the message names the migration. Code `outbox_not_migrated`. */
export class OutboxNotMigratedError extends RealtimeError {
  override readonly name = 'OutboxNotMigratedError';
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.OutboxNotMigrated, message, options);
  }
}

/** What was given is not a transaction of a library that is known here; the message names those that are. Code `unsupported_transaction`. */
export class UnsupportedTransactionError extends RealtimeError {
  override readonly name = 'UnsupportedTransactionError';
  constructor(message: string) {
    super(ErrorCode.UnsupportedTransaction, message);
  }
}
