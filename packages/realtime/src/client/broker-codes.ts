/**
 * The numbers of Centrifugo's client protocol that this client decides by.
 * Source: https://centrifugal.dev/docs/server/codes
 */
export const BrokerCode = {
  /** The SDK's own: no answer in time. */
  CallTimeout: 1,
  /** The SDK's own, for connection and subscription: `getToken` said that there is no permission. */
  Unauthorized: 1,
  PermissionDenied: 103,
  AlreadySubscribed: 105,
  LimitExceeded: 106,
  TokenExpired: 109,
  /** First code of an unsubscribe by the server; the numbers below it are errors of a subscribe command. */
  ServerUnsubscribe: 2000,
  /** Tokens and positions are void: the client has to fetch new tokens. */
  StateInvalidated: 3014,
  InvalidToken: 3500,
} as const;

/** Codes below are the SDK's own, not the broker's. */
export const FIRST_BROKER_CODE = 100;
