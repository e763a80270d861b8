import type { ChannelOptions } from './channel-options.ts';
import type { ProxyOptions, RpcOptions, SwitchedProxyOptions } from './proxy-options.ts';
import type { TokenOptions } from './token-options.ts';

/** Connections and their limits. */
export interface ClientOptions {
  /** Origins of browsers that may connect; `*` and `?` are wildcards. Clients that send no `Origin` always may. @default none */
  readonly allowedOrigins?: readonly string[];
  /** Keys for tokens. @default none: every token is refused */
  readonly token?: TokenOptions;
  /** Keys for subscription tokens, if they differ; `token` then counts for connection tokens only. */
  readonly subscriptionToken?: TokenOptions;
  /** Accept clients without a token, as anonymous. @default false */
  readonly allowAnonymousConnectWithoutToken?: boolean;
  /** Refuse tokens without a user. @default false */
  readonly disallowAnonymousConnectionTokens?: boolean;
  /** No permission checks at all. For development only. @default false */
  readonly insecure?: boolean;
  /** Accept tokens without looking at their signature. For development only. @default false */
  readonly insecureSkipTokenSignatureVerify?: boolean;
  /** Time between two pings of the server; below 0 for none. More than `pongTimeoutMs`. @default 25 000 */
  readonly pingIntervalMs?: number;
  /** Time for the pong; below 0 for no check, 0 for 10 000. Must be less than `pingIntervalMs`, also where there are no pings. @default 8 000 */
  readonly pongTimeoutMs?: number;
  /** Grace for an expired connection to refresh. @default 25 000 */
  readonly expiredCloseDelayMs?: number;
  /** Grace for an expired subscription to refresh. @default 25 000 */
  readonly expiredSubCloseDelayMs?: number;
  /** Time to send a connect command. @default 10 000 */
  readonly staleCloseDelayMs?: number;
  /** Channels per connection. @default 128 */
  readonly channelLimit?: number;
  /** Bytes that may wait for a slow connection. @default 1 048 576 */
  readonly queueMaxSize?: number;
  /** Time between two rounds over a connection's subscriptions (presence, expiry, position). @default 27 000 */
  readonly presenceUpdateIntervalMs?: number;
  /** Commands of one connection that may wait for the application at a time. @default 1 */
  readonly concurrency?: number;
  /** Time without a publication after which a position is checked; 0 for never. @default 40 000 */
  readonly channelPositionCheckDelayMs?: number;
  /** Connections in all. @default 0: no limit */
  readonly connectionLimit?: number;
  /** New connections per second. @default 0: no limit */
  readonly connectionRateLimit?: number;
  /** Connections per user; the newest is refused. @default 0: no limit */
  readonly userConnectionLimit?: number;
  /** Send the server's time in the connect reply. @default false */
  readonly connectIncludeServerTime?: boolean;
  /** Publications in one history reply. @default 300 */
  readonly historyMaxPublicationLimit?: number;
  /** Publications in one recovery; who missed more is not recovered. @default 300 */
  readonly recoveryMaxPublicationLimit?: number;
  /** Subscribe every user to a channel of its own. */
  readonly subscribeToUserPersonalChannel?: {
    /** @default false */
    readonly enabled?: boolean;
    /** The namespace of those channels. @default none */
    readonly personalChannelNamespace?: string;
    /** Close the user's other connections. @default false */
    readonly singleConnection?: boolean;
  };
  /** The application, asked about connections. */
  readonly proxy?: {
    /** Asked about clients that connect without a token. */
    readonly connect?: SwitchedProxyOptions;
    /** Asked about connections that expire. Clients then refresh no tokens. */
    readonly refresh?: SwitchedProxyOptions;
  };
}

/** Channels. */
export interface ChannelsOptions {
  /** Options of channels whose names have no namespace. */
  readonly withoutNamespace?: ChannelOptions;
  /** Options by namespace. A name matches `[-a-zA-Z0-9_.]{2,}`. */
  readonly namespaces?: Readonly<Record<string, ChannelOptions>>;
  /** How long a stream's epoch and offset are kept after its last use. @default 30 days */
  readonly historyMetaTtlMs?: number;
  /** Bytes of a channel name in a client's subscribe. @default 255 */
  readonly maxLength?: number;
  /** @default '$' */
  readonly privatePrefix?: string;
  /** @default ':' */
  readonly namespaceBoundary?: string;
  /** @default '#' */
  readonly userBoundary?: string;
  /** @default ',' */
  readonly userSeparator?: string;
  /** What publications must be, where a namespace says nothing. @default any data that is not empty */
  readonly publicationDataFormat?: ChannelOptions['publicationDataFormat'];
  /** Asked about channels of the namespaces that say so. */
  readonly proxy?: {
    /** Who may subscribe. */
    readonly subscribe?: ProxyOptions;
    /** What clients may publish. */
    readonly publish?: ProxyOptions;
    /** Whether a subscription that expires goes on. */
    readonly subRefresh?: ProxyOptions;
  };
}

/** The server API. */
export interface HttpApiOptions {
  /** @default '/api' */
  readonly handlerPrefix?: string;
  /** Empty: every call is refused. */
  readonly key?: string;
  /** Accept calls without a key. @default false */
  readonly insecure?: boolean;
  /** `transport`: errors as HTTP status. @default errors inside a 200 */
  readonly errorMode?: 'transport';
  /** No server API at all. @default false */
  readonly disabled?: boolean;
  /** Largest body in bytes. Centrifugo has no limit; this one keeps memory bounded. @default 67 108 864 */
  readonly maxRequestBodySize?: number;
}

/** A transport over plain HTTP. */
export interface StreamOptions {
  /** @default false */
  readonly enabled?: boolean;
  /** @default '/connection/' and the name of the transport, such as '/connection/http_stream' */
  readonly handlerPrefix?: string;
  /** Bytes of a connect request. @default 65 536 */
  readonly maxRequestBodySize?: number;
}

/** Options of `startBroker`. All have the defaults of Centrifugo 6. */
export interface BrokerOptions {
  /** Address to listen on; '' is all interfaces. @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 8000 */
  readonly port?: number;
  /** Name of this server in `info`. @default host and port */
  readonly name?: string;
  /** The server API: where it is, and its key. */
  readonly httpApi?: HttpApiOptions;
  /** Who may connect, and the limits of a connection. */
  readonly client?: ClientOptions;
  /** Namespaces, and what may be done in their channels. */
  readonly channel?: ChannelsOptions;
  /** Which calls of clients go to the application. */
  readonly rpc?: RpcOptions;
  /** Proxies that namespaces may choose by name. A name matches `[-a-zA-Z0-9_.]{2,}`. */
  readonly proxies?: Readonly<Record<string, ProxyOptions>>;
  /** The WebSocket that clients use as a rule. */
  readonly websocket?: {
    /** Refuse WebSockets. @default false */
    readonly disabled?: boolean;
    /** @default '/connection/websocket' */
    readonly handlerPrefix?: string;
    /** Bytes of one frame from a client. @default 65 536 */
    readonly messageSizeLimit?: number;
  };
  /** HTTP streaming: what the server sends is one long answer, what the client sends comes by `emulation`. */
  readonly httpStream?: StreamOptions;
  /** Server-sent events, in the same way. */
  readonly sse?: StreamOptions;
  /** Where clients of `httpStream` and `sse` send their commands. */
  readonly emulation?: {
    /** @default '/emulation' */
    readonly handlerPrefix?: string;
    /** @default 65 536 */
    readonly maxRequestBodySize?: number;
  };
  /** Server-sent events for clients that only listen. */
  readonly uniSse?: StreamOptions;
  /** HTTP streaming for clients that only listen. */
  readonly uniHttpStream?: StreamOptions;
  /** A WebSocket for clients that only listen. */
  readonly uniWebsocket?: {
    /** @default false */
    readonly enabled?: boolean;
    /** @default '/connection/uni_websocket' */
    readonly handlerPrefix?: string;
    /** Bytes of the connect request. @default 65 536 */
    readonly messageSizeLimit?: number;
  };
  /** Metrics for Prometheus. */
  readonly prometheus?: {
    /** @default false */
    readonly enabled?: boolean;
    /** @default '/metrics' */
    readonly handlerPrefix?: string;
  };
  /** An address that answers 200 while the broker runs. */
  readonly health?: {
    /** @default true */
    readonly enabled?: boolean;
    /** @default '/health' */
    readonly handlerPrefix?: string;
  };
  /**
   * Rehearse with clients of its own, on a port of the loopback, until what connections need is compiled: a start takes 0.3 s longer, and while nobody
   * is there the rehearsal goes on for at most 1.2 s. The first thousands of connections then cost a third less CPU.
   * The command does it always. @default false
   */
  readonly warmUp?: boolean;
  /** How the broker ends. */
  readonly shutdown?: {
    /** How long `close` waits for clients. @default 30 000 */
    readonly timeoutMs?: number;
  };
}
