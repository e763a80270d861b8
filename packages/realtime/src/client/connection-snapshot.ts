import type { Clock } from '../core/clock.ts';
import { DisconnectedError } from '../core/errors.ts';
import type { ManagerEvent, RealtimeObserver } from '../core/events.ts';
import type { Position } from '../core/position.ts';
import type { Source } from '../core/sources.ts';
import type { ChannelState } from './channel-state.ts';
import { MAX_CHANNELS } from './join-budget.ts';
import type { TokenClaims } from './token-claims.ts';
import type { RealtimeConfig, RealtimeStatus, Unsubscribe } from './types.ts';

/** A connection as tools see it. */
export interface ManagerSource extends Source {
  readonly kind: 'manager';
  /** The manager itself; one that made several connections is still the same. */
  readonly manager: object;
  observe(observer: RealtimeObserver<ManagerEvent>): Unsubscribe;
  inspect(): ConnectionSnapshot;
  /** Time until the broker answered, in milliseconds. Rejects where there is no connection, or no answer. */
  ping(): Promise<number>;
}

/** A connection at one moment. Never holds a token. */
export interface ConnectionSnapshot {
  readonly status: RealtimeStatus;
  /** Of the broker's address, with the port. */
  readonly host: string;
  /** `sub` of the connection token; `null` while unknown, or where the token is opaque. */
  readonly userId: string | null;
  /** When the connection token expires, in milliseconds since the Unix epoch by the server's clock; `null` where it does not, or is opaque. */
  readonly tokenExpiresAt: number | null;
  readonly maxChannels: number;
  readonly channels: readonly ChannelSnapshot[];
}

/** A channel at one moment. */
export interface ChannelSnapshot {
  readonly name: string;
  readonly state: ChannelState;
  /** How it is delivered: `token` with the connection itself, `grant` by a subscription of its own, `null` not (yet). */
  readonly by: 'token' | 'grant' | null;
  /** Up to here everything was delivered; `null` where there is no history, or it was never joined. */
  readonly position: Position | null;
  /** The last join recovered everything that was missed; `null` where it was the first one and asked for nothing. */
  readonly isRecovered: boolean | null;
  /** When its permission expires, as `tokenExpiresAt`. */
  readonly expiresAt: number | null;
  /** Registrations of the app. */
  readonly subscribers: number;
  /** Registrations of bound query clients. */
  readonly bindings: number;
  /** Why it is refused. */
  readonly refusal: string | null;
}

/** The part of a manager that tools use. */
export interface ObservedManager {
  readonly status: RealtimeStatus;
  observe(observer: RealtimeObserver<ManagerEvent>): Unsubscribe;
}

/** What a snapshot is taken of, asked at the moment of looking. */
interface ConnectionParts {
  config(): RealtimeConfig;
  claims(): TokenClaims | null;
  channels(): readonly ChannelSnapshot[];
  /** Asks the broker for any answer; `null` where there is no connection. */
  probe(): Promise<void> | null;
}

/** Makes a connection visible to tools. */
export function toManagerSource(
  manager: ObservedManager,
  clock: Clock,
  { config, claims, channels, probe }: ConnectionParts,
): ManagerSource {
  return {
    kind: 'manager',
    manager,
    observe: (observer) => manager.observe(observer),
    inspect: () => {
      const { wsUrl, maxChannels = MAX_CHANNELS } = config();
      const { userId = null, expiresAtSeconds = null } = claims() ?? {};
      return {
        status: manager.status,
        host: URL.canParse(wsUrl) ? new URL(wsUrl).host : '',
        userId,
        tokenExpiresAt: expiresAtSeconds ? expiresAtSeconds * 1_000 : null,
        maxChannels,
        channels: channels(),
      };
    },
    ping: async () => {
      const startedMs = clock.now();
      const answer = probe();
      if (!answer) throw new DisconnectedError('There is no connection now; `status` tells why.');
      await answer;
      return clock.now() - startedMs;
    },
  };
}
