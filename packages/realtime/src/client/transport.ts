import type { Position } from '../core/position.ts';
import type { ChannelHistory, HistoryOptions, PresenceStats, PresentClient, Publication } from './types.ts';

/** A join as the broker confirmed it. @experimental */
export interface TransportJoin {
  /** Recovered: the position recovered from. Else the current top. `null` without history. */
  readonly position: Position | null;
  /** Whether everything since the last join, or since `since`, follows. */
  readonly recovered: boolean;
  /** Whether recovery was asked for. */
  readonly wasRecovering: boolean;
}

/** A publication as it came; its epoch is that of the last join. @experimental */
export interface TransportPublication {
  /** Not parsed yet. */
  readonly data: unknown;
  /** `null` where it has no place in a stream. */
  readonly offset: number | null;
  /** It was missed and came with a join. */
  readonly recovered: boolean;
  /** Empty where the publisher gave none. */
  readonly tags: Readonly<Record<string, string>>;
  /** The publisher's client info, for publications made by clients. */
  readonly info?: unknown;
}

export interface PresenceChange {
  readonly kind: 'join' | 'leave';
  readonly client: PresentClient;
}

/** What happens to one subscription. A join and the publications that it recovered come in one synchronous turn. @experimental */
export interface ChannelEvents {
  /** Covered from here on. Told a second time where the stream did not exist at the first: now with its position, and nothing was missed. */
  joined(join: TransportJoin): void;
  /** One publication, in the order of the stream. */
  published(publication: TransportPublication): void;
  /** Somebody joined or left, where the namespace tells that; who, where the transport knows. */
  presenceChanged(change?: PresenceChange): void;
  /** Coverage is lost; the transport rejoins by itself. */
  dropped(): void;
  /** Over for good. `code` is the broker's, or `null` where it gave none. */
  ended(code: number | null, reason: string): void;
}

/** What happens to the connection. @experimental */
export interface TransportEvents {
  /** The broker took the connection. The joins of its token's channels come in the same turn. */
  connected(): void;
  /** Lost, or closed by the broker in a way that allows another attempt. The transport makes it by itself, with back-off. */
  connecting(code: number, reason: string): void;
  /** An attempt failed, or something else went wrong that the transport goes on from. `code` < 100 is not the broker's. */
  failing(code: number, reason: string): void;
  /** Over until `connect()`. */
  disconnected(code: number, reason: string): void;
  /** The events of a channel that the connection itself carries (listed in its token, or joined by the server). */
  connectionChannel(channel: string): ChannelEvents;
  /** Asked whenever a connection token is needed. A rejection is retried, except for `UnauthorizedError`. */
  getToken(): Promise<string>;
}

/** What a subscription by a grant needs. @experimental */
export interface JoinOptions {
  /** The grant to begin with. */
  readonly token: string;
  /** Asked when the token expired or was invalidated. A rejection is retried, except for `UnauthorizedError`. */
  readonly renewToken: () => Promise<string>;
  /** Where the first join recovers from. */
  readonly since?: Position | undefined;
  /** Ask to be told who joins and leaves, also where the namespace does not tell everybody. @default false */
  readonly wantsPresence?: boolean;
}

/**
 * A connection to a broker that keeps itself alive: reconnects with back-off, rejoins and recovers. Calls reject with `RealtimeError`s.
 * `centrifuge-transport.ts` is the real one.
 * @experimental
 */
export interface Transport {
  /** Begins, and goes on until `disconnect()`; calling it again does nothing. */
  connect(): void;
  /** Ends the connection; positions are kept, so that a later `connect()` recovers. */
  disconnect(): void;
  /** The next connect asks for a new token. */
  forgetToken(): void;
  /** Joins a channel by a grant. Returns its end, after which none of its events come any more. */
  join(channel: string, options: JoinOptions, events: ChannelEvents): () => void;
  /** Resolves when the broker answered anything at all. */
  probe(): Promise<void>;
  /** The network went away or came back. */
  networkChanged(isOnline: boolean): void;
  /** Resolves when the broker took it. */
  publish(channel: string, data: unknown): Promise<void>;
  /** Resolves with what the broker's RPC handler answered. */
  rpc(method: string, data: unknown): Promise<unknown>;
  /** Who is in a channel, one per connection. */
  presence(channel: string): Promise<readonly PresentClient[]>;
  /** How many are in a channel. */
  presenceStats(channel: string): Promise<PresenceStats>;
  /** A channel's position and its latest publications. */
  history(channel: string, options: HistoryOptions): Promise<ChannelHistory>;
  /** Ends everything; no event comes after it. */
  dispose(): void;
}

/** What a transport is made with. @experimental */
export interface TransportConfig {
  /** The broker's WebSocket endpoint. */
  readonly wsUrl: string;
  /** A WebSocket class; `undefined`: the global one. */
  readonly websocket: unknown;
  /** Time limit for a command and for opening a socket. */
  readonly timeoutMs: number;
  /** First and longest pause before another attempt to connect or to join. */
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

/** Makes a transport. Nothing is opened before `connect()`. @experimental */
export type TransportFactory = (config: TransportConfig, events: TransportEvents) => Transport;

/** `Publication` of a transport's publication. */
export function toPublication(channel: string, epoch: string | null, from: TransportPublication): Publication {
  return {
    channel,
    position: epoch !== null && from.offset !== null ? { epoch, offset: from.offset } : null,
    recovered: from.recovered,
    tags: from.tags,
    ...(from.info === undefined ? {} : { info: from.info }),
  };
}
