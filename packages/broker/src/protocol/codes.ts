/** Why the server closes a connection. Travels as a WebSocket close frame, or as a `disconnect` push on transports that have none. */
export interface Disconnect {
  /** 3000–3499 and 4000–4499: the client reconnects. 3500–3999 and 4500–4999: it does not. */
  readonly code: number;
  readonly reason: string;
}

/** Centrifugo's disconnect codes. */
export const Disconnects = {
  /** The peer closed; never sent. */
  ConnectionClosed: { code: 3000, reason: 'connection closed' },
  /** The server is going down. */
  Shutdown: { code: 3001, reason: 'shutdown' },
  ServerError: { code: 3004, reason: 'internal server error' },
  /** The connection's credentials ran out and were not refreshed in time. */
  Expired: { code: 3005, reason: 'connection expired' },
  /** A server-side subscription ran out. */
  SubscriptionExpired: { code: 3006, reason: 'subscription expired' },
  /** The client reads slower than it is sent to: its queue is over the limit. */
  Slow: { code: 3008, reason: 'slow' },
  WriteError: { code: 3009, reason: 'write error' },
  /** A server-side subscription lost its place in the stream, or the token lists other channels than before. */
  InsufficientState: { code: 3010, reason: 'insufficient state' },
  ForceReconnect: { code: 3011, reason: 'force reconnect' },
  /** No pong in time. */
  NoPong: { code: 3012, reason: 'no pong' },
  TooManyRequests: { code: 3013, reason: 'too many requests' },
  /** The client shall forget its tokens and ask for new ones. */
  StateInvalidated: { code: 3014, reason: 'state invalidated' },
  InvalidToken: { code: 3500, reason: 'invalid token' },
  /** A frame that breaks the protocol. */
  BadRequest: { code: 3501, reason: 'bad request' },
  /** No connect command in time. */
  Stale: { code: 3502, reason: 'stale' },
  ForceNoReconnect: { code: 3503, reason: 'force disconnect' },
  ConnectionLimit: { code: 3504, reason: 'connection limit' },
  ChannelLimit: { code: 3505, reason: 'channel limit' },
  /** Binary data on a JSON connection. */
  InappropriateProtocol: { code: 3506, reason: 'inappropriate protocol' },
  PermissionDenied: { code: 3507, reason: 'permission denied' },
  NotAvailable: { code: 3508, reason: 'not available' },
  TooManyErrors: { code: 3509, reason: 'too many errors' },
} as const satisfies Record<string, Disconnect>;

/** An error inside a reply; the connection lives on. */
export interface ReplyError {
  readonly code: number;
  readonly message: string;
  /** Worth trying again. */
  readonly temporary?: boolean;
}

/** Centrifugo's error codes in replies to clients. */
export const ReplyErrors = {
  Internal: { code: 100, message: 'internal server error', temporary: true },
  Unauthorized: { code: 101, message: 'unauthorized' },
  /** The channel's namespace is not configured. */
  UnknownChannel: { code: 102, message: 'unknown channel' },
  PermissionDenied: { code: 103, message: 'permission denied' },
  MethodNotFound: { code: 104, message: 'method not found' },
  AlreadySubscribed: { code: 105, message: 'already subscribed' },
  LimitExceeded: { code: 106, message: 'limit exceeded' },
  BadRequest: { code: 107, message: 'bad request' },
  /** The feature is off for this channel. */
  NotAvailable: { code: 108, message: 'not available' },
  TokenExpired: { code: 109, message: 'token expired' },
  Expired: { code: 110, message: 'expired' },
  TooManyRequests: { code: 111, message: 'too many requests', temporary: true },
  UnrecoverablePosition: { code: 112, message: 'unrecoverable position' },
} as const satisfies Record<string, ReplyError>;

/** Errors of the server API: the same family, with other words for 104 and never `temporary`. */
export const ApiErrors = {
  Internal: { code: 100, message: 'internal server error' },
  UnknownChannel: { code: 102, message: 'unknown channel' },
  NotFound: { code: 104, message: 'not found' },
  BadRequest: { code: 107, message: 'bad request' },
  NotAvailable: { code: 108, message: 'not available' },
  UnrecoverablePosition: { code: 112, message: 'unrecoverable position' },
  Conflict: { code: 113, message: 'conflict' },
} as const satisfies Record<string, ReplyError>;

/** HTTP status of an API error in the `transport` error mode. */
export const API_ERROR_STATUS: ReadonlyMap<number, number> = new Map([
  [ApiErrors.Internal.code, 500],
  [ApiErrors.UnknownChannel.code, 404],
  [ApiErrors.NotFound.code, 404],
  [ApiErrors.BadRequest.code, 400],
  [ApiErrors.NotAvailable.code, 400],
  [ApiErrors.UnrecoverablePosition.code, 416],
  [ApiErrors.Conflict.code, 409],
]);

/** Why the server ended a subscription; below 2500 for good, from 2500 on the client subscribes again. */
export interface Unsubscribe {
  readonly code: number;
  readonly reason: string;
}

/** Centrifugo's unsubscribe codes. */
export const Unsubscribes = {
  Server: { code: 2000, reason: 'server unsubscribe' },
  InsufficientState: { code: 2500, reason: 'insufficient state' },
  Expired: { code: 2501, reason: 'subscription expired' },
} as const satisfies Record<string, Unsubscribe>;
