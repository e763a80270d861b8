import { type ChannelOptions, type ResolvedChannelOptions, resolveChannelOptions } from './channel-options.ts';
import { BrokerConfigError } from './errors.ts';
import {
  type ProxyOptions,
  type ProxySettings,
  type RpcOptions,
  resolveProxies,
  type SwitchedProxyOptions,
} from './proxy-options.ts';

/** How tokens are verified. Without any key every token is refused. */
export interface TokenOptions {
  /** Key of HS256, HS384 and HS512 tokens. */
  readonly hmacSecretKey?: string;
  /** The key before; still accepted, for a rotation without interruption. */
  readonly hmacPreviousSecretKey?: string;
  /** Unix time in seconds from which the previous key is refused. @default 0: never */
  readonly hmacPreviousSecretKeyValidUntil?: number;
  /** PEM of the key of RS256, RS384 and RS512 tokens. */
  readonly rsaPublicKey?: string;
  /** PEM of the key of ES256, ES384 and ES512 tokens. */
  readonly ecdsaPublicKey?: string;
  /** Address of a JSON Web Key Set (RFC 7517). With it no other key counts. */
  readonly jwksPublicEndpoint?: string;
  /** The `aud` claim must contain this. Not together with `audienceRegex`. */
  readonly audience?: string;
  readonly audienceRegex?: string;
  /** The `iss` claim must be this. Not together with `issuerRegex`. */
  readonly issuer?: string;
  readonly issuerRegex?: string;
  /** The claim that holds the user id. @default 'sub' */
  readonly userIdClaim?: string;
}

/** Connections and their limits. */
export interface ClientOptions {
  /** Origins of browsers that may connect; `*` and `?` are wildcards. Clients that send no `Origin` always may. @default none */
  readonly allowedOrigins?: readonly string[];
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
  /** Time between two pings of the server; ≤ 0 for none. @default 25 000 */
  readonly pingIntervalMs?: number;
  /** Time for the pong; ≤ 0 for no check. Must be less than `pingIntervalMs`. @default 8 000 */
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
    readonly enabled?: boolean;
    readonly personalChannelNamespace?: string;
    /** Close the user's other connections. @default false */
    readonly singleConnection?: boolean;
  };
  readonly proxy?: {
    /** Asked about clients that connect without a token. */
    readonly connect?: SwitchedProxyOptions;
    /** Asked about connections that expire. Clients then refresh no tokens. */
    readonly refresh?: SwitchedProxyOptions;
  };
}

/** Channels. */
export interface ChannelsOptions {
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
  readonly publicationDataFormat?: ChannelOptions['publicationDataFormat'];
  /** Asked about channels of the namespaces that say so. */
  readonly proxy?: {
    readonly subscribe?: ProxyOptions;
    readonly publish?: ProxyOptions;
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
  readonly httpApi?: HttpApiOptions;
  readonly client?: ClientOptions;
  readonly channel?: ChannelsOptions;
  readonly rpc?: RpcOptions;
  /** Proxies that namespaces may choose by name. A name matches `[-a-zA-Z0-9_.]{2,}`. */
  readonly proxies?: Readonly<Record<string, ProxyOptions>>;
  readonly websocket?: {
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
  readonly health?: {
    /** @default true */
    readonly enabled?: boolean;
    /** @default '/health' */
    readonly handlerPrefix?: string;
  };
  readonly shutdown?: {
    /** How long `close` waits for clients. @default 30 000 */
    readonly timeoutMs?: number;
  };
}

/** All options with their defaults, checked. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly httpApi: Required<Omit<HttpApiOptions, 'errorMode'>> & { readonly isTransportErrorMode: boolean };
  readonly client: Required<Omit<ClientOptions, 'subscriptionToken' | 'subscribeToUserPersonalChannel' | 'proxy'>> & {
    readonly subscriptionToken: TokenOptions | undefined;
    readonly personalChannel: { readonly namespace: string; readonly isSingleConnection: boolean } | undefined;
  };
  readonly channel: Required<
    Omit<ChannelsOptions, 'withoutNamespace' | 'namespaces' | 'publicationDataFormat' | 'proxy'>
  > & {
    readonly withoutNamespace: ResolvedChannelOptions;
    readonly namespaces: ReadonlyMap<string, ResolvedChannelOptions>;
  };
  readonly proxies: ProxySettings;
  readonly websocket: { readonly disabled: boolean; readonly handlerPrefix: string; readonly messageSizeLimit: number };
  readonly httpStream: Required<StreamOptions>;
  readonly sse: Required<StreamOptions>;
  readonly emulation: { readonly handlerPrefix: string; readonly maxRequestBodySize: number };
  readonly uniSse: Required<StreamOptions>;
  readonly uniHttpStream: Required<StreamOptions>;
  readonly uniWebsocket: {
    readonly enabled: boolean;
    readonly handlerPrefix: string;
    readonly messageSizeLimit: number;
  };
  readonly prometheus: { readonly enabled: boolean; readonly handlerPrefix: string };
  readonly health: { readonly enabled: boolean; readonly handlerPrefix: string };
  readonly shutdown: { readonly timeoutMs: number };
}

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMESPACE_NAME = /^[-a-zA-Z0-9_.]{2,}$/;

/** Fills in the defaults and checks what belongs together. @throws BrokerConfigError (`invalid_config`) */
export function resolveOptions(options: BrokerOptions = {}): Settings {
  const { client = {}, channel = {}, httpApi = {} } = options;
  const defaults = {
    historyMetaTtlMs: channel.historyMetaTtlMs ?? 30 * DAY_MS,
    publicationDataFormat: channel.publicationDataFormat,
  };
  const {
    withoutNamespace = {},
    namespaces = {},
    publicationDataFormat: _,
    proxy: channelProxy = {},
    ...channelRest
  } = channel;
  const {
    subscribeToUserPersonalChannel: personal,
    subscriptionToken,
    proxy: clientProxy = {},
    ...clientRest
  } = client;
  const { errorMode, ...httpApiRest } = httpApi;
  const channels: Settings['channel'] = {
    maxLength: 255,
    privatePrefix: '$',
    namespaceBoundary: ':',
    userBoundary: '#',
    userSeparator: ',',
    ...channelRest,
    historyMetaTtlMs: defaults.historyMetaTtlMs,
    withoutNamespace: resolveChannelOptions('channel.without_namespace', withoutNamespace, defaults),
    namespaces: new Map(
      Object.entries(namespaces).map(([name, value]) => [
        checkNamespace(name),
        resolveChannelOptions(`namespace ${name}`, value, defaults),
      ]),
    ),
  };
  const settings: Settings = {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 8000,
    name: options.name ?? '',
    httpApi: {
      handlerPrefix: '/api',
      key: '',
      insecure: false,
      disabled: false,
      maxRequestBodySize: 64 * 1024 * 1024,
      ...httpApiRest,
      isTransportErrorMode: errorMode === 'transport',
    },
    client: {
      allowedOrigins: [],
      token: {},
      allowAnonymousConnectWithoutToken: false,
      disallowAnonymousConnectionTokens: false,
      insecure: false,
      insecureSkipTokenSignatureVerify: false,
      pingIntervalMs: 25_000,
      pongTimeoutMs: 8_000,
      expiredCloseDelayMs: 25_000,
      expiredSubCloseDelayMs: 25_000,
      staleCloseDelayMs: 10_000,
      channelLimit: 128,
      queueMaxSize: 1_048_576,
      presenceUpdateIntervalMs: 27_000,
      concurrency: 1,
      channelPositionCheckDelayMs: 40_000,
      connectionLimit: 0,
      connectionRateLimit: 0,
      userConnectionLimit: 0,
      connectIncludeServerTime: false,
      historyMaxPublicationLimit: 300,
      recoveryMaxPublicationLimit: 300,
      ...clientRest,
      subscriptionToken,
      personalChannel: personal?.enabled
        ? {
            namespace: personal.personalChannelNamespace ?? '',
            isSingleConnection: personal.singleConnection ?? false,
          }
        : undefined,
    },
    channel: channels,
    proxies: resolveProxies(
      {
        connect: clientProxy.connect ?? {},
        refresh: clientProxy.refresh ?? {},
        subscribe: channelProxy.subscribe ?? {},
        publish: channelProxy.publish ?? {},
        subRefresh: channelProxy.subRefresh ?? {},
        rpc: options.rpc ?? {},
        named: options.proxies ?? {},
      },
      [channels.withoutNamespace, ...channels.namespaces.values()],
    ),
    websocket: {
      disabled: options.websocket?.disabled ?? false,
      handlerPrefix: options.websocket?.handlerPrefix ?? '/connection/websocket',
      messageSizeLimit: options.websocket?.messageSizeLimit ?? 65_536,
    },
    httpStream: stream('http_stream', options.httpStream),
    sse: stream('sse', options.sse),
    emulation: { handlerPrefix: '/emulation', maxRequestBodySize: 65_536, ...options.emulation },
    uniSse: stream('uni_sse', options.uniSse),
    uniHttpStream: stream('uni_http_stream', options.uniHttpStream),
    uniWebsocket: {
      enabled: false,
      handlerPrefix: '/connection/uni_websocket',
      messageSizeLimit: 65_536,
      ...options.uniWebsocket,
    },
    prometheus: { enabled: false, handlerPrefix: '/metrics', ...options.prometheus },
    health: {
      enabled: options.health?.enabled ?? true,
      handlerPrefix: options.health?.handlerPrefix ?? '/health',
    },
    shutdown: { timeoutMs: options.shutdown?.timeoutMs ?? 30_000 },
  };
  checkTogether(settings);
  return settings;
}

function stream(name: string, options: StreamOptions = {}): Required<StreamOptions> {
  return { enabled: false, handlerPrefix: `/connection/${name}`, maxRequestBodySize: 65_536, ...options };
}

function checkNamespace(name: string): string {
  if (NAMESPACE_NAME.test(name)) return name;
  throw new BrokerConfigError(`Namespace name ${JSON.stringify(name)} must match ${NAMESPACE_NAME.source}.`);
}

function checkTogether({ client, channel, httpApi }: Settings): void {
  for (const [where, token] of [
    ['client.token', client.token],
    ['client.subscription_token', client.subscriptionToken ?? {}],
  ] as const) {
    if (token.audience && token.audienceRegex)
      throw new BrokerConfigError(`${where}: set audience or audience_regex, not both.`);
    if (token.issuer && token.issuerRegex)
      throw new BrokerConfigError(`${where}: set issuer or issuer_regex, not both.`);
  }
  if (client.pingIntervalMs > 0 && client.pongTimeoutMs >= client.pingIntervalMs)
    throw new BrokerConfigError('client.pong_timeout must be less than client.ping_interval.');
  const personal = client.personalChannel;
  if (personal) {
    const options = personal.namespace ? channel.namespaces.get(personal.namespace) : channel.withoutNamespace;
    if (!options)
      throw new BrokerConfigError(`Namespace ${personal.namespace} of personal channels is not configured.`);
    if (personal.isSingleConnection && !options.presence)
      throw new BrokerConfigError('A single connection per user needs presence in the namespace of personal channels.');
  }
  if (!httpApi.handlerPrefix.startsWith('/'))
    throw new BrokerConfigError('http_api.handler_prefix must start with "/".');
}
