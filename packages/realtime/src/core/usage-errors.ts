import { RealtimeError } from './realtime-error.ts';

// What every page that uses the client carries, so codes stand as literals (the compiler checks them): the table of codes stays out of the bundle.

/** A channel name or id that breaks the rules of naming. Code `invalid_channel`. */
export class InvalidChannelError extends RealtimeError {
  override readonly name = 'InvalidChannelError';
  constructor(message: string) {
    super('invalid_channel', message);
  }
}

/** An option or environment variable that is missing or malformed. Code `invalid_config`. */
export class ConfigError extends RealtimeError {
  override readonly name = 'ConfigError';
  constructor(message: string, options?: ErrorOptions) {
    super('invalid_config', message, options);
  }
}

/** `getInstance()` came before `initialize()`. Code `not_initialized`. */
export class NotInitializedError extends RealtimeError {
  override readonly name = 'NotInitializedError';
  constructor() {
    super('not_initialized', 'Call RealtimeManager.initialize({ wsUrl, getToken }) once before getInstance().');
  }
}

/** `initialize()` came again with another `wsUrl`. Code `already_initialized`. */
export class AlreadyInitializedError extends RealtimeError {
  override readonly name = 'AlreadyInitializedError';
  constructor() {
    super(
      'already_initialized',
      'RealtimeManager is initialized with another wsUrl. Call RealtimeManager.getInstance().dispose() first.',
    );
  }
}

/** No token could be had, or the broker refused it. Throw it in `getToken` to say "this user may not connect". Code `unauthorized`. */
export class UnauthorizedError extends RealtimeError {
  override readonly name = 'UnauthorizedError';
  constructor(message = 'Not authorized. After a login call reconnect().') {
    super('unauthorized', message);
  }
}
