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
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Base of all errors thrown or reported by `@op/realtime`. Messages never contain tokens, keys or full URLs. */
export class RealtimeError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A channel name or id that breaks the rules of naming. Code `invalid_channel`. */
export class InvalidChannelError extends RealtimeError {
  override readonly name = 'InvalidChannelError';
  constructor(message: string) {
    super(ErrorCode.InvalidChannel, message);
  }
}

/** A message that is none of the known shapes. Code `invalid_message`. */
export class InvalidMessageError extends RealtimeError {
  override readonly name = 'InvalidMessageError';
  constructor(message: string) {
    super(ErrorCode.InvalidMessage, message);
  }
}

/** An argument that the call cannot work with. Code `invalid_argument`. */
export class InvalidArgumentError extends RealtimeError {
  override readonly name = 'InvalidArgumentError';
  constructor(message: string) {
    super(ErrorCode.InvalidArgument, message);
  }
}

/** An option or environment variable that is missing or malformed. Code `invalid_config`. */
export class ConfigError extends RealtimeError {
  override readonly name = 'ConfigError';
  constructor(message: string) {
    super(ErrorCode.InvalidConfig, message);
  }
}

/** `getInstance()` came before `initialize()`. Code `not_initialized`. */
export class NotInitializedError extends RealtimeError {
  override readonly name = 'NotInitializedError';
  constructor() {
    super(ErrorCode.NotInitialized, 'Call RealtimeManager.initialize({ wsUrl, getToken }) once before getInstance().');
  }
}

/** `initialize()` came again with another `wsUrl`. Code `already_initialized`. */
export class AlreadyInitializedError extends RealtimeError {
  override readonly name = 'AlreadyInitializedError';
  constructor() {
    super(
      ErrorCode.AlreadyInitialized,
      'RealtimeManager is initialized with another wsUrl. Call RealtimeManager.getInstance().dispose() first.',
    );
  }
}

/** No token could be had, or the broker refused it. Throw it in `getToken` to say "this user may not connect". Code `unauthorized`. */
export class UnauthorizedError extends RealtimeError {
  override readonly name = 'UnauthorizedError';
  constructor(message = 'Not authorized. After a login call reconnect().') {
    super(ErrorCode.Unauthorized, message);
  }
}

/** The broker refuses a channel to this user. Code `channel_refused`. */
export class ChannelRefusedError extends RealtimeError {
  override readonly name = 'ChannelRefusedError';
  readonly channel: string;
  /** Centrifugo's error or unsubscribe code (103 permission denied, 106 limit …); `null` where no broker was asked. */
  readonly brokerCode: number | null;
  constructor(channel: string, reason: string, brokerCode: number | null = null) {
    super(ErrorCode.ChannelRefused, `Channel ${channel} is refused: ${reason}`);
    this.channel = channel;
    this.brokerCode = brokerCode;
  }
}

/** The broker answered a call with an error. Code `broker_error`; `brokerCode` is Centrifugo's number. */
export class BrokerError extends RealtimeError {
  override readonly name = 'BrokerError';
  readonly brokerCode: number;
  constructor(brokerCode: number, message: string) {
    super(ErrorCode.Broker, `The broker answered ${brokerCode}: ${message}`);
    this.brokerCode = brokerCode;
  }
}

/** The connection is down: closed by the broker, lost, or not yet there. Code `disconnected`. */
export class DisconnectedError extends RealtimeError {
  override readonly name = 'DisconnectedError';
  /** Centrifugo's disconnect code (3001 shutdown, 3503 force disconnect …); `null` where the network or this side ended it. */
  readonly brokerCode: number | null;
  constructor(reason: string, brokerCode: number | null = null) {
    super(ErrorCode.Disconnected, brokerCode ? `The broker closed the connection (${brokerCode}): ${reason}` : reason);
    this.brokerCode = brokerCode;
  }
}
