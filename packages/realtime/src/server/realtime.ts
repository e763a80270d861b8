import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';
import type { PublishOptions } from './publication.ts';
import type { PublishOutcome } from './publish-command.ts';
import type { ChannelTokenRequest, ChannelTokensRequest, ConnectionTokenRequest, IssuedGrant } from './tokens.ts';

/** A publication that the broker took. */
export interface PublishResult {
  /** The channel that it went to. */
  readonly channel: ChannelName;
  /** Where the publication stands in the channel's stream; `null` where the namespace keeps no history, or the publication skipped it. */
  readonly position: Position | null;
}

/** What `history` is asked for. */
export interface HistoryOptions {
  /** How many publications at most; 0 gives only the position, -1 all there are. @default 0 */
  readonly limit?: number;
  /** Only what came after this position. */
  readonly since?: Position;
  /** Newest first. @default false */
  readonly reverse?: boolean;
}

/** A publication as the broker keeps it. */
export interface HistoryPublication {
  /** Its place in the stream whose epoch is that of `position`. */
  readonly offset: number;
  /** As published: parse it with `parseMessage`. */
  readonly data: unknown;
  /** As given to `publish`, and `traceparent` where the app traces. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What `history` answers. */
export interface History {
  /** The top of the stream. */
  readonly position: Position;
  /** Oldest first, or newest first with `reverse`. Empty where `limit` is 0. */
  readonly publications: readonly HistoryPublication[];
}

/** One connection that is in a channel. */
export interface PresentClient {
  /** The broker's id of the connection. */
  readonly clientId: string;
  /** Empty for an anonymous connection. */
  readonly userId: string;
  /** `info` of the connection token. */
  readonly connectionInfo?: unknown;
  /** `info` of the channel token. */
  readonly channelInfo?: unknown;
}

/** How many are in a channel. */
export interface PresenceStats {
  /** Connections: a user with two tabs counts twice. */
  readonly clients: number;
  /** Different users. */
  readonly users: number;
}

/** For one call to the broker. */
export interface CallOptions {
  /** For the whole call with its retry. @default the instance's `timeoutMs` */
  readonly timeoutMs?: number;
}

/** How connections of a user are ended. */
export interface DisconnectOptions {
  /** Centrifugo's code: 3014, 4000–4499 reconnect; 3500–3999, 4500–4999 are final. @default 3503 (final) */
  readonly code?: number;
  /** At most 32 bytes. @default 'force disconnect' */
  readonly reason?: string;
}

/**
 * The server's side: publishes, asks the broker, and signs tokens.
 *
 * All calls reject with `RealtimeError`s: `invalid_config` (an option or variable is missing or malformed), `invalid_channel`, `invalid_argument`, `api_unavailable`,
 * `api_unauthorized`, `timeout`, and `broker_error` with Centrifugo's code.
 */
export interface Realtime {
  /**
   * Announces something on a channel. Call it after the commit. Publishes of one tick share a request; order per channel is that of the calls.
   * An invalidation without `spreadMs` is given one by the instance's `spread`.
   * @throws also `invalid_message`
   */
  publish(channel: ChannelName, message: Message, options?: PublishOptions): Promise<PublishResult>;
  /**
   * One message on several channels, in one command. Channels given twice are taken once. It is spread as the largest of its first twenty channels asks for;
   * where many small ones make a large one, give the message a `spreadMs`.
   * @returns one outcome per channel. It rejects only for what is wrong before anything was sent.
   */
  publishMany(
    channels: readonly ChannelName[],
    message: Message,
    options?: PublishOptions,
  ): Promise<readonly PublishOutcome[]>;
  /** A channel's position, and its latest publications if `limit` asks for them. Needs history in the namespace (else `broker_error` 108). */
  history(channel: ChannelName, options?: HistoryOptions & CallOptions): Promise<History>;
  /** The positions of several channels in one request; `null` where the broker cannot tell. */
  positions(
    channels: readonly ChannelName[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<ChannelName, Position | null>>;
  /** Who is in a channel. Needs presence in the namespace (else `broker_error` 108). */
  presence(channel: ChannelName): Promise<readonly PresentClient[]>;
  /** How many are in a channel. Needs presence in the namespace (else `broker_error` 108). */
  presenceStats(channel: ChannelName): Promise<PresenceStats>;
  /** About how many connections a channel has. Needs no presence; remembered for `subscriberCountMaxAgeMs`. */
  subscriberCount(channel: ChannelName): Promise<number>;
  /** About how many connections the broker has, on all nodes. Remembered for `subscriberCountMaxAgeMs`. */
  connectionCount(): Promise<number>;
  /** Ends the user's subscriptions of one channel. Channels of the connection token come back with the next connection: see `revoke`. */
  unsubscribe(userId: string, channel: ChannelName): Promise<void>;
  /** Ends the user's connections. */
  disconnect(userId: string, options?: DisconnectOptions): Promise<void>;
  /**
   * Call it when a permission was taken away, after the change is committed. Ends the channel's subscription, or without a channel only makes every
   * client of the user come back with new tokens. At once for honest clients; a hostile one can use a token that it has kept until it expires (`ttlSeconds`).
   */
  revoke(userId: string, channel?: ChannelName): Promise<void>;
  /** A token for `getToken`: who the user is, and the channels that the connection has from the start. */
  createConnectionToken(request: ConnectionTokenRequest): Promise<string>;
  /** A token for one channel. Check first that the user may read it. */
  createChannelToken(request: ChannelTokenRequest): Promise<string>;
  /** Tokens for several channels of one user. Check first that the user may read all of them. */
  createChannelTokens(request: ChannelTokensRequest): Promise<readonly IssuedGrant[]>;
}
