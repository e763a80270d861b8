import type { ChannelDelivery, ChannelName } from '../core/channel.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { ChannelRefusedError, RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';
import type { TransportFactory } from './transport.ts';

/** A publication as it came from the broker. */
export interface Publication {
  /** The channel that it was published to. */
  readonly channel: string;
  /** Where it stands in the channel's stream; `null` where the namespace keeps no history, or the publication skipped it. */
  readonly position: Position | null;
  /** `true` for one that was missed and recovered at a join. */
  readonly recovered: boolean;
  /** As the publisher gave them, empty where there are none. */
  readonly tags: Readonly<Record<string, string>>;
  /** The publisher's client info, for publications made by clients. */
  readonly info?: unknown;
}

/** A (re)join of a channel: from here on every publication arrives, in order. */
export interface ChannelJoin {
  /** The channel that was joined. */
  readonly channel: string;
  /** Recovered: the position recovered *from*; the missed publications follow in the same turn. Else the current top. `null` without history. */
  readonly position: Position | null;
  /** Whether nothing was missed since the last join, or since `since`. */
  readonly recovered: boolean;
  /** Whether recovery was asked for (a rejoin, or a first join with `since`). */
  readonly wasRecovering: boolean;
}

/** Why a channel is not covered any more. `dropped`: the client is already trying to rejoin. */
export type ChannelLoss =
  | { readonly channel: string; readonly kind: 'dropped' }
  | { readonly channel: string; readonly kind: 'refused'; readonly error: ChannelRefusedError }
  | { readonly channel: string; readonly kind: 'unsubscribed'; readonly brokerCode: number | null };

/** Called with each message. What it throws, or rejects with, is reported to `onError` (`handler_failed`) and stops nobody. */
export type MessageHandler = (message: Message, publication: Publication) => void;

/** What else one subscription wants to hear, and how it begins. */
export interface SubscribeOptions {
  /**
   * Called at every join and rejoin, before the publications that it recovered (these follow in the same synchronous turn).
   * A late subscriber of a channel that is joined already gets a join of its own, in a microtask: unrecovered, at the position
   * of the last publication delivered. Publications come to it from there on, and never before its join.
   * Where the stream did not exist yet (`position` is `null`; Centrifugo with PostgreSQL, a channel never used), the join is told again as recovered, with its
   * position, just before the stream's first publication.
   */
  readonly onJoin?: (join: ChannelJoin) => void;
  /** Called when coverage ends for whatever reason; `refused` and `unsubscribed` are final for this subscription until a new grant. */
  readonly onLoss?: (loss: ChannelLoss) => void;
  /** Called for publications that are no known message, instead of the handler. @default reported once per kind to `onError` of the instance */
  readonly onUnknown?: (data: unknown, publication: Publication) => void;
  /** Called when somebody joined or left, where the namespace tells that (`join_leave` with `force_push_join_leave`). */
  readonly onPresenceChange?: () => void;
  /** Where to recover from at the first join (client-side subscriptions only). */
  readonly since?: Position;
  /** Kept by bound queries, not asked for by the app: its messages concern these queries alone, and `onMessage` does not hear them. @default false @internal */
  readonly isAutomatic?: boolean;
}

/** Ends the registration. Calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * The connection's state.
 * - `idle`: nothing needs a connection.
 * - `connecting`: the first attempt, or one after `idle`.
 * - `connected`
 * - `reconnecting`: was connected, or an attempt failed; trying again with back-off.
 * - `polling`: no connection for longer than `pollingAfterMs`; still trying, bound queries poll meanwhile.
 * - `unauthorized`: final until `reconnect()`.
 * - `failed`: closed for good by the broker; final until `reconnect()`.
 * - `disposed`
 */
export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'polling'
  | 'unauthorized'
  | 'failed'
  | 'disposed';

/** In which state the connection is, since when, and why. */
export interface RealtimeStatus {
  /** What the connection is doing. */
  readonly state: ConnectionState;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  /** Why, where there is a reason: the last error, or the broker's disconnect. */
  readonly reason: RealtimeError | null;
}

/** A permission for one channel, as it came with an answer or from `getChannelTokens`. */
export interface ChannelGrant {
  /** The only channel that the token is good for. */
  readonly channel: ChannelName;
  /** A subscription token (JWT). */
  readonly token: string;
}

/** A WebSocket class, such as the browser's or that of `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => object;

/**
 * The answer to `getChannelTokens`: what the server's `createChannelTokens` returns, or tokens by channel. A channel that is not among
 * them, or `null`, is refused to this user.
 */
export type ChannelTokens =
  | readonly { readonly channel: string; readonly token: string }[]
  | Readonly<Record<string, string | null | undefined>>;

/** Configuration of a `RealtimeManager`. */
export interface RealtimeConfig {
  /** Address of the broker's WebSocket endpoint: `wss://…/connection/websocket`. */
  readonly wsUrl: string;
  /**
   * Fetches a connection token (JWT). Called at the first connect, when the token expires and after `reconnect()`; never twice at a time.
   * A rejection is retried with back-off and shown in `status`. `UnauthorizedError`, an answer `null`, `undefined` or `''`, and a tRPC error with
   * HTTP status 401 or 403 are final until `reconnect()`.
   */
  readonly getToken: () => Promise<string | null | undefined>;
  /**
   * Fetches subscription tokens for channels that the connection token does not carry: many in one call, first ones and renewals.
   * Without it such channels are refused until a grant comes by `addGrant`.
   */
  readonly getChannelTokens?: ((channels: readonly string[]) => Promise<ChannelTokens>) | undefined;
  /**
   * The app's own channels (what `defineChannels` returned). A channel with `delivery: 'connection'` that the connection token lacks is refused
   * at once; `getChannelTokens` is not asked for it. `Channels.global` and `Channels.user` are always known.
   */
  readonly channels?:
    | Readonly<Record<string, { readonly scope: string; readonly delivery: ChannelDelivery }>>
    | undefined;
  /** @default the global `WebSocket`; on a Node without one, that of `ws` */
  readonly websocket?: WebSocketConstructor | undefined;
  /**
   * Faults that no caller can be given: a handler that threw, a message of an unknown type, a bad grant, a refused channel whose subscriber has
   * no `onLoss`, a failed `getToken`.
   * @default `console.error`
   */
  readonly onError?: ((error: RealtimeError) => void) | undefined;
  /** How long the connection outlives the last subscription. @default 5_000 */
  readonly disconnectGraceMs?: number | undefined;
  /** Without a connection for this long, `status` becomes `polling`. @default 30_000 */
  readonly pollingAfterMs?: number | undefined;
  /** Time limit for a command (`publish`, `rpc`, …) and for opening a socket. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Time limit for one call of `getToken` or `getChannelTokens`. @default 15_000 */
  readonly tokenTimeoutMs?: number | undefined;
  /** After sleep, `online` or a return to the tab, the connection must answer within this time or is replaced. @default 4_000 */
  readonly probeTimeoutMs?: number | undefined;
  /** First and longest pause, growing and random, before a failed connection, `getChannelTokens` or load of the client's code is tried again. @default { minMs: 500, maxMs: 20_000 } */
  readonly retry?: { readonly minMs: number; readonly maxMs: number } | undefined;
  /** Channels that one connection may join; more are refused with code 106. As `client.channel_limit` of Centrifugo. @default 128 */
  readonly maxChannels?: number | undefined;
  /** Another way to the broker, for tests. @default `centrifuge` over a WebSocket @experimental */
  readonly transport?: TransportFactory | undefined;
  /** `now()` counts milliseconds from the Unix epoch. @default the machine's clock */
  readonly clock?: Clock | undefined;
  /** @default Math.random */
  readonly random?: Random | undefined;
}

/** A client present in a channel. */
export interface PresentClient {
  /** The broker's id of the connection. */
  readonly clientId: string;
  /** Empty for an anonymous connection. */
  readonly userId: string;
  /** `info` of its connection token. */
  readonly connectionInfo?: unknown;
  /** `info` of its grant. */
  readonly channelInfo?: unknown;
}

/** How many are in a channel. */
export interface PresenceStats {
  /** Connections: a user with two tabs counts twice. */
  readonly clients: number;
  /** Different users. */
  readonly users: number;
}

/** What `history` is asked for. */
export interface HistoryOptions {
  /** How many publications at most; 0 asks for the position only. @default 0 */
  readonly limit?: number;
  /** Only publications after this position. */
  readonly since?: Position;
  /** Newest first. @default false */
  readonly reverse?: boolean;
}

/** What `history` answers. */
export interface ChannelHistory {
  /** The top of the stream. */
  readonly position: Position;
  /** Oldest first, or newest first with `reverse`. `data` is not parsed. */
  readonly publications: readonly (Publication & { readonly data: unknown })[];
}

/** What the rest of the library (and an app) uses of a manager. Implemented by `RealtimeManager`. */
export interface RealtimeClient {
  /** Listens to a channel until the returned function is called. @throws InvalidChannelError (`invalid_channel`), RealtimeError (`disposed`) */
  subscribe(channel: string, handler: MessageHandler, options?: SubscribeOptions): Unsubscribe;
  /** Called once for each message that arrives, whether the app subscribed to its channel or the connection carries it; not on channels that only bound queries keep joined. */
  onMessage(handler: MessageHandler): Unsubscribe;
  /** Hands over a grant. Checked (user, channel, expiry) before it is used; a bad one is reported and dropped. */
  addGrant(grant: ChannelGrant): void;
  /** The channels that the connection token itself carries, once known. */
  isConnectionChannel(channel: string): boolean;
  /** The connection's state now; the same object until it changes. */
  readonly status: RealtimeStatus;
  /** Called at every change of `status`; returns the end of it. */
  onStatus(listener: (status: RealtimeStatus) => void): Unsubscribe;
}
