/** Every error code of `@op/realtime`; stable, so `switch (error.code)` may rely on it. */
export const ErrorCode = {
  /** A channel name or an id in it breaks the naming rules. */
  InvalidChannel: 'invalid_channel',
  /** A message to publish is not one of the known shapes, or too large. */
  InvalidMessage: 'invalid_message',
  /** An argument of a call has the wrong form, such as an empty user id. */
  InvalidArgument: 'invalid_argument',
  /** An option or environment variable that is needed is unset, empty or malformed. */
  InvalidConfig: 'invalid_config',
  /** `RealtimeManager.getInstance()` before `initialize()`. */
  NotInitialized: 'not_initialized',
  /** `RealtimeManager.initialize()` again with another `wsUrl`, before `dispose()`. */
  AlreadyInitialized: 'already_initialized',
  /** The instance was disposed; nothing more can be asked of it. */
  Disposed: 'disposed',
  /** The user may not do this: no token, or the broker refused it. Final until `reconnect()`. */
  Unauthorized: 'unauthorized',
  /** The broker refuses this channel to this user. Other channels are not touched. */
  ChannelRefused: 'channel_refused',
  /** The connection is closed for good, or was lost while a call waited for its answer. */
  Disconnected: 'disconnected',
  /** `getToken` or `getChannelTokens` failed. It is called again with back-off. */
  TokenUnavailable: 'token_unavailable',
  /** A handler of the application threw. The other handlers were called. */
  HandlerFailed: 'handler_failed',
  /** No answer within the time limit. */
  Timeout: 'timeout',
  /** The server API could not be reached, or did not answer with what it should. */
  ApiUnavailable: 'api_unavailable',
  /** The server API refused the key. */
  ApiUnauthorized: 'api_unauthorized',
  /** The broker answered with an error of its own: see `brokerCode`. */
  Broker: 'broker_error',
  /** The database lacks the outbox's table or function: run the migration that the message names. */
  OutboxNotMigrated: 'outbox_not_migrated',
  /** What was given as a transaction is none, or of a library that is not known here. */
  UnsupportedTransaction: 'unsupported_transaction',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Base of all errors thrown or reported by `@op/realtime`. Messages never contain tokens, keys or full URLs. */
export class RealtimeError extends Error {
  /** Stable: compare this, not the text of `message`. */
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}
