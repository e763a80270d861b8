import type { ByteString } from '../protocol/byte-string.ts';
import type { Disconnect, ReplyError } from '../protocol/codes.ts';
import type { ConnectRequest, SubscribeRequest } from '../protocol/schema.ts';
import type { Session } from './session.ts';
import type { Grant } from './token-claims.ts';

/** An answer of the application: what was asked for, an error for the reply, or the end of the connection. */
export type Verdict<T> = { readonly ok: T } | { readonly error: ReplyError } | { readonly disconnect: Disconnect };

/**
 * Questions to the application (Centrifugo's proxies). A hook that is not set means that the feature is off. None of them ever rejects.
 * The connection stops reading while one is under way, up to its concurrency.
 */
export interface Hooks {
  /** A client without a token connects. No answer: it is treated as if nobody had been asked. */
  readonly connect?: (session: Session, request: ConnectRequest) => Promise<Verdict<ConnectAnswer | undefined>>;
  /** A connection has expired. */
  readonly refresh?: (session: Session) => Promise<Renewal>;
  /** A client without a token subscribes to a channel. @param proxy the name that the channel's namespace gives */
  readonly subscribe?: (session: Session, proxy: string, request: SubscribeRequest) => Promise<Verdict<Grant>>;
  /** A client publishes. @param proxy the name that the channel's namespace gives */
  readonly publish?: (
    session: Session,
    proxy: string,
    channel: string,
    data: ByteString,
  ) => Promise<Verdict<PublishAnswer>>;
  /** A subscription has expired. @param proxy the name that the channel's namespace gives */
  readonly subRefresh?: (session: Session, proxy: string, channel: string) => Promise<Renewal>;
  readonly rpc?: (
    session: Session,
    method: string,
    data: ByteString | undefined,
  ) => Promise<Verdict<ByteString | undefined>>;
}

/** What the application says about a new connection. */
export interface ConnectAnswer {
  readonly user: string;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  readonly info: ByteString | undefined;
  readonly data: ByteString | undefined;
  readonly meta: ByteString | undefined;
  readonly grants: ReadonlyMap<string, Grant>;
}

/** What the application says about a connection or a subscription whose time is up. */
export type Renewal =
  /** It ends. */
  | 'expired'
  /** It goes on; what is not given stays as it was. */
  | {
      /** Unix time in seconds. */
      readonly expireAt: number;
      readonly info?: ByteString | undefined;
      readonly meta?: ByteString | undefined;
    };

/** What the application says about a publish. */
export interface PublishAnswer {
  /** Stands for the client's data. */
  readonly data: ByteString | undefined;
  readonly skipsHistory: boolean;
  readonly tags: ReadonlyMap<string, string>;
  readonly idempotencyKey: string;
  readonly usesDelta: boolean;
  readonly version: number;
  readonly versionEpoch: string;
}
