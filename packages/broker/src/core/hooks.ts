import type { ByteString } from '../protocol/byte-string.ts';
import type { Disconnect, ReplyError } from '../protocol/codes.ts';
import type { ConnectRequest, SubscribeRequest } from '../protocol/schema.ts';
import type { Session } from './session.ts';
import type { Grant } from './token-claims.ts';

/** An answer of the application: what was asked for, an error for the reply, or the end of the connection. */
export type Verdict<T> = { readonly ok: T } | { readonly error: ReplyError } | { readonly disconnect: Disconnect };

/**
 * Questions to the application (Centrifugo's proxies). A hook that is not set means that the feature is off.
 * The connection stops reading while one is under way, up to its concurrency.
 */
export interface Hooks {
  /** A client without a token connects. */
  readonly connect?: (session: Session, request: ConnectRequest) => Promise<Verdict<ConnectAnswer | undefined>>;
  /** A connection made by `connect` is about to expire. */
  readonly refresh?: (session: Session) => Promise<Verdict<{ expireAt: number; info?: ByteString | undefined }>>;
  /** A client without a token subscribes to a channel of a namespace with this proxy. */
  readonly subscribe?: (session: Session, request: SubscribeRequest) => Promise<Verdict<Grant>>;
  /** A client publishes; the answer may replace the data. */
  readonly publish?: (session: Session, channel: string, data: ByteString) => Promise<Verdict<PublishAnswer>>;
  /** A subscription made by `subscribe` is about to expire. */
  readonly subRefresh?: (
    session: Session,
    channel: string,
  ) => Promise<Verdict<{ expireAt: number; info?: ByteString | undefined }>>;
  readonly rpc?: (
    session: Session,
    method: string,
    data: ByteString | undefined,
  ) => Promise<Verdict<ByteString | undefined>>;
}

/** What the application says about a new connection. */
export interface ConnectAnswer {
  readonly user: string;
  readonly expireAt: number;
  readonly info: ByteString | undefined;
  readonly data: ByteString | undefined;
  readonly meta: ByteString | undefined;
  readonly grants: ReadonlyMap<string, Grant>;
}

/** What the application says about a publish. */
export interface PublishAnswer {
  readonly data: ByteString | undefined;
  readonly skipsHistory: boolean;
}
