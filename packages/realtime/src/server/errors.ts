import { ErrorCode, RealtimeError } from '../core/errors.ts';

/**
 * The server API could not be reached, or what answered is not the server API (HTML, a wrong path, a redirect, 5xx). Code `api_unavailable`.
 *
 * There is no `cause`: the errors of some `fetch` implementations carry the whole URL. What is safe of it (`ECONNREFUSED`) is part of the message.
 */
export class ApiUnavailableError extends RealtimeError {
  override readonly name = 'ApiUnavailableError';
  /** The HTTP status; `null` where no complete answer came. */
  readonly status: number | null;
  constructor(message: string, status: number | null) {
    super(ErrorCode.ApiUnavailable, message);
    this.status = status;
  }
}

/** The server API refused the key. Code `api_unauthorized`. */
export class ApiUnauthorizedError extends RealtimeError {
  override readonly name = 'ApiUnauthorizedError';
  constructor(keyName: string) {
    super(
      ErrorCode.ApiUnauthorized,
      `Centrifugo's server API refused the key. ${keyName} must equal the server's CENTRIFUGO_HTTP_API_KEY.`,
    );
  }
}

/** No answer of the server API within `timeoutMs`, retry included. A publication may have been made all the same. Code `timeout`. */
export class ApiTimeoutError extends RealtimeError {
  override readonly name = 'ApiTimeoutError';
  /** The limit that was reached, in milliseconds. */
  readonly timeoutMs: number;
  constructor(method: string, timeoutMs: number) {
    super(ErrorCode.Timeout, `Centrifugo's server API did not answer "${method}" within ${timeoutMs} ms.`);
    this.timeoutMs = timeoutMs;
  }
}
