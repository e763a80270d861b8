import type { ChannelName } from '../core/channel.ts';
import type { ChannelRefusedError, RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';

/** A publication as it came from the broker. */
export interface Publication {
  readonly channel: string;
  /** Where it stands in the channel's stream; `null` where the namespace keeps no history, or the publication skipped it. */
  readonly position: Position | null;
  /** `true` for one that was missed and recovered at a join. */
  readonly recovered: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** The publisher's client info, for publications made by clients. */
  readonly info?: unknown;
}

/** A (re)join of a channel: from here on every publication arrives, in order. */
export interface ChannelJoin {
  readonly channel: string;
  /** Recovered: the position recovered *from*; the missed publications follow in the same turn. Else the current top. `null` without history. */
  readonly position: Position | null;
  readonly recovered: boolean;
  /** Whether recovery was asked for (a rejoin, or a first join with `since`). */
  readonly wasRecovering: boolean;
}

/** Why a channel is not covered any more. `dropped`: the client is already trying to rejoin. */
export type ChannelLoss =
  | { readonly channel: string; readonly kind: 'dropped' }
  | { readonly channel: string; readonly kind: 'refused'; readonly error: ChannelRefusedError }
  | { readonly channel: string; readonly kind: 'unsubscribed'; readonly brokerCode: number | null };

export type MessageHandler = (message: Message, publication: Publication) => void;

export interface SubscribeOptions {
  /** Called at every join and rejoin, before the publications that it recovered. Late subscribers of a joined channel get the last join at once (in a microtask). */
  readonly onJoin?: (join: ChannelJoin) => void;
  /** Called when coverage ends for whatever reason; `refused` and `unsubscribed` are final for this subscription until a new grant. */
  readonly onLoss?: (loss: ChannelLoss) => void;
  /** Called for publications that are no known message, instead of the handler. @default reported once per type to `onError` of the instance */
  readonly onUnknown?: (data: unknown, publication: Publication) => void;
  /** Where to recover from at the first join (client-side subscriptions only). */
  readonly since?: Position;
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

export interface RealtimeStatus {
  readonly state: ConnectionState;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  /** Why, where there is a reason: the last error, or the broker's disconnect. */
  readonly reason: RealtimeError | null;
}

/** A permission for one channel, as it came with an answer or from `getChannelTokens`. */
export interface ChannelGrant {
  readonly channel: ChannelName;
  /** A subscription token (JWT). */
  readonly token: string;
}

/** What the rest of the library (and an app) uses of a manager. Implemented by `RealtimeManager`. */
export interface RealtimeClient {
  subscribe(channel: string, handler: MessageHandler, options?: SubscribeOptions): Unsubscribe;
  /** Hands over a grant. Checked (user, channel, expiry) before it is used; a bad one is reported and dropped. */
  addGrant(grant: ChannelGrant): void;
  /** The channels that the connection token itself carries, once known. */
  isConnectionChannel(channel: string): boolean;
  readonly status: RealtimeStatus;
  /** Called at every change of `status`; returns the end of it. */
  onStatus(listener: (status: RealtimeStatus) => void): Unsubscribe;
}
