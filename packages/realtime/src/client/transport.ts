import type { Position } from '../core/position.ts';
import type { ChannelHistory, HistoryOptions, PresenceStats, PresentClient, Publication } from './types.ts';

/** A join as the broker confirmed it. */
export interface TransportJoin {
  /** Recovered: the position recovered from. Else the current top. `null` without history. */
  readonly position: Position | null;
  readonly recovered: boolean;
  readonly wasRecovering: boolean;
}

/** A publication as it came; its epoch is that of the last join. */
export interface TransportPublication {
  readonly data: unknown;
  readonly offset: number | null;
  readonly recovered: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly info?: unknown;
}

/** What happens to one subscription. A join and the publications that it recovered come in one synchronous turn. */
export interface ChannelEvents {
  joined(join: TransportJoin): void;
  published(publication: TransportPublication): void;
  /** Somebody joined or left, where the namespace tells that. */
  presenceChanged(): void;
  /** Coverage is lost; the transport rejoins by itself. */
  dropped(): void;
  /** Over for good. `code` is the broker's, or `null` where it gave none. */
  ended(code: number | null, reason: string): void;
}

/** What happens to the connection. */
export interface TransportEvents {
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

export interface JoinOptions {
  readonly token: string;
  /** Asked when the token expired or was invalidated. A rejection is retried, except for `UnauthorizedError`. */
  readonly renewToken: () => Promise<string>;
  readonly since?: Position | undefined;
}

/**
 * A connection to a broker that keeps itself alive: reconnects with back-off, rejoins and recovers. Calls reject with `RealtimeError`s.
 * `centrifuge-transport.ts` is the real one.
 */
export interface Transport {
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
  publish(channel: string, data: unknown): Promise<void>;
  rpc(method: string, data: unknown): Promise<unknown>;
  presence(channel: string): Promise<readonly PresentClient[]>;
  presenceStats(channel: string): Promise<PresenceStats>;
  history(channel: string, options: HistoryOptions): Promise<ChannelHistory>;
  /** Ends everything; no event comes after it. */
  dispose(): void;
}

export interface TransportConfig {
  readonly wsUrl: string;
  readonly websocket: unknown;
  readonly timeoutMs: number;
  /** First and longest pause before another attempt to connect or to join. */
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

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
