/** Error codes of this package; stable, so `switch (error.code)` may rely on it. */
export type BrokerErrorCode = 'invalid_config' | 'listen_failed';

/** Base of all errors that this package throws. Messages never contain keys or tokens. */
export class EmbeddedBrokerError extends Error {
  /** Stable: compare this, not the text of `message`. */
  readonly code: BrokerErrorCode;
  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An option or environment variable that the broker does not know or cannot use. Code `invalid_config`. */
export class BrokerConfigError extends EmbeddedBrokerError {
  override readonly name = 'BrokerConfigError';
  constructor(message: string, options?: ErrorOptions) {
    super('invalid_config', message, options);
  }
}

/** The broker could not listen on its address. Code `listen_failed`; the reason is in `cause`. */
export class ListenError extends EmbeddedBrokerError {
  override readonly name = 'ListenError';
  constructor(message: string, options?: ErrorOptions) {
    super('listen_failed', message, options);
  }
}
