import type { ChannelOptions } from '../core/channel-options.ts';
import type { ChannelsOptions, ClientOptions, HttpApiOptions, StreamOptions } from '../core/options.ts';
import type { ProxyOptions, RpcNamespaceOptions, RpcOptions, SwitchedProxyOptions } from '../core/proxy-options.ts';
import { CLAIM_NAME, type TokenOptions } from '../core/token-options.ts';
import { proxyVariables, rpcNamespaceVariables } from './env-proxies.ts';
import { duration, flag, listOf, oneOf, spacedList, text, type ValueParser, wholeNumber } from './env-values.ts';
import { type Mutable, type Variable, variable } from './env-variable.ts';

/**
 * The three lists of environment variables, under Centrifugo's own names without their prefix `CENTRIFUGO_`:
 * those that are honoured, those that are accepted and change nothing here, and those that are not the server's.
 * What is on none of them stops the start. Source: `centrifugo defaultenv` of version 6.9.
 */

/** Options while they are being read. */
export interface Draft {
  host: string;
  port?: number;
  name?: string;
  readonly httpApi: Mutable<HttpApiOptions>;
  readonly client: Mutable<ClientOptions>;
  readonly token: Mutable<TokenOptions>;
  readonly subscriptionToken: Mutable<TokenOptions> & { enabled?: boolean };
  readonly personalChannel: { enabled?: boolean; personalChannelNamespace?: string; singleConnection?: boolean };
  readonly channel: Mutable<ChannelsOptions>;
  readonly withoutNamespace: Mutable<ChannelOptions>;
  readonly proxies: DraftProxies;
  readonly rpc: Mutable<RpcOptions>;
  readonly rpcWithoutNamespace: Mutable<RpcNamespaceOptions>;
  readonly websocket: { disabled?: boolean; handlerPrefix?: string; messageSizeLimit?: number };
  readonly httpStream: Mutable<StreamOptions>;
  readonly sse: Mutable<StreamOptions>;
  readonly emulation: { handlerPrefix?: string; maxRequestBodySize?: number };
  readonly uniSse: Mutable<StreamOptions>;
  readonly uniHttpStream: Mutable<StreamOptions>;
  readonly uniWebsocket: { enabled?: boolean; handlerPrefix?: string; messageSizeLimit?: number };
  readonly prometheus: { enabled?: boolean; handlerPrefix?: string };
  readonly health: { enabled: boolean; handlerPrefix?: string };
  readonly shutdown: { timeoutMs?: number };
}

/** Checked here and not with the other options, because it counts also where subscription tokens have no settings of their own. */
const claimName: ValueParser<string> = {
  expected: 'letters and underscores',
  jsonType: 'string',
  parse: (value) => (CLAIM_NAME.test(value) ? value : undefined),
};

const self = <T>(target: T) => target;
const channelOption = <K extends keyof ChannelOptions>(key: K, parser: ValueParser<NonNullable<ChannelOptions[K]>>) =>
  variable<Mutable<ChannelOptions>, Mutable<ChannelOptions>, K>(self, key, parser);

/** Options of a namespace: `CHANNEL_NAMESPACES_<NAME>_…`, `CHANNEL_WITHOUT_NAMESPACE_…`, and, in lower case, inside a JSON list of namespaces. */
export const CHANNEL_VARIABLES: ReadonlyMap<string, Variable<Mutable<ChannelOptions>>> = new Map(
  Object.entries({
    PRESENCE: channelOption('presence', flag),
    JOIN_LEAVE: channelOption('joinLeave', flag),
    FORCE_PUSH_JOIN_LEAVE: channelOption('forcePushJoinLeave', flag),
    HISTORY_SIZE: channelOption('historySize', wholeNumber),
    HISTORY_TTL: channelOption('historyTtlMs', duration),
    HISTORY_META_TTL: channelOption('historyMetaTtlMs', duration),
    FORCE_POSITIONING: channelOption('forcePositioning', flag),
    ALLOW_POSITIONING: channelOption('allowPositioning', flag),
    FORCE_RECOVERY: channelOption('forceRecovery', flag),
    ALLOW_RECOVERY: channelOption('allowRecovery', flag),
    FORCE_RECOVERY_MODE: channelOption('forceRecoveryMode', oneOf('stream', 'cache')),
    AUTO_CACHE_RECOVER: channelOption('autoCacheRecover', flag),
    ALLOWED_DELTA_TYPES: channelOption('allowedDeltaTypes', listOf('fossil')),
    DELTA_PUBLISH: channelOption('deltaPublish', flag),
    ALLOW_TAGS_FILTER: channelOption('allowTagsFilter', flag),
    ALLOW_SUBSCRIBE_FOR_CLIENT: channelOption('allowSubscribeForClient', flag),
    ALLOW_SUBSCRIBE_FOR_ANONYMOUS: channelOption('allowSubscribeForAnonymous', flag),
    ALLOW_PUBLISH_FOR_CLIENT: channelOption('allowPublishForClient', flag),
    ALLOW_PUBLISH_FOR_SUBSCRIBER: channelOption('allowPublishForSubscriber', flag),
    ALLOW_PUBLISH_FOR_ANONYMOUS: channelOption('allowPublishForAnonymous', flag),
    ALLOW_PRESENCE_FOR_CLIENT: channelOption('allowPresenceForClient', flag),
    ALLOW_PRESENCE_FOR_SUBSCRIBER: channelOption('allowPresenceForSubscriber', flag),
    ALLOW_PRESENCE_FOR_ANONYMOUS: channelOption('allowPresenceForAnonymous', flag),
    ALLOW_HISTORY_FOR_CLIENT: channelOption('allowHistoryForClient', flag),
    ALLOW_HISTORY_FOR_SUBSCRIBER: channelOption('allowHistoryForSubscriber', flag),
    ALLOW_HISTORY_FOR_ANONYMOUS: channelOption('allowHistoryForAnonymous', flag),
    ALLOW_USER_LIMITED_CHANNELS: channelOption('allowUserLimitedChannels', flag),
    SUBSCRIBE_PROXY_ENABLED: channelOption('subscribeProxyEnabled', flag),
    SUBSCRIBE_PROXY_NAME: channelOption('subscribeProxyName', text),
    PUBLISH_PROXY_ENABLED: channelOption('publishProxyEnabled', flag),
    PUBLISH_PROXY_NAME: channelOption('publishProxyName', text),
    SUB_REFRESH_PROXY_ENABLED: channelOption('subRefreshProxyEnabled', flag),
    SUB_REFRESH_PROXY_NAME: channelOption('subRefreshProxyName', text),
    CHANNEL_REGEX: channelOption('channelRegex', text),
    PUBLICATION_DATA_FORMAT: channelOption('publicationDataFormat', oneOf('json', 'json_object', 'binary')),
  }),
);

/** Each of them is what a namespace means by the name 'default'; the first two stand for themselves. */
export interface DraftProxies {
  readonly connect: Mutable<SwitchedProxyOptions>;
  readonly refresh: Mutable<SwitchedProxyOptions>;
  readonly subscribe: Mutable<ProxyOptions>;
  readonly publish: Mutable<ProxyOptions>;
  readonly subRefresh: Mutable<ProxyOptions>;
  readonly rpc: Mutable<ProxyOptions>;
}

const server = <K extends 'host' | 'port' | 'name'>(key: K, parser: ValueParser<NonNullable<Draft[K]>>) =>
  variable<Draft, Draft, K>(self, key, parser);
/** Variables of one section of the draft. */
const section =
  <P>(at: (draft: Draft) => P) =>
  <K extends keyof P>(key: K, parser: ValueParser<NonNullable<P[K]>>) =>
    variable<Draft, P, K>(at, key, parser);
const api = section((draft) => draft.httpApi);
const client = section((draft) => draft.client);
const channel = section((draft) => draft.channel);
const personal = section((draft) => draft.personalChannel);
const subscription = section((draft) => draft.subscriptionToken);
const websocket = section((draft) => draft.websocket);
const emulation = section((draft) => draft.emulation);
const uniWebsocket = section((draft) => draft.uniWebsocket);
const prometheus = section((draft) => draft.prometheus);
const connectProxy = section((draft) => draft.proxies.connect);
const refreshProxy = section((draft) => draft.proxies.refresh);
const rpc = section((draft) => draft.rpc);
const health = section((draft) => draft.health);
const shutdown = section((draft) => draft.shutdown);

function tokenVariables(prefix: string, at: (draft: Draft) => Mutable<TokenOptions>): Record<string, Variable<Draft>> {
  const token = section(at);
  return {
    [`${prefix}_HMAC_SECRET_KEY`]: token('hmacSecretKey', text),
    [`${prefix}_HMAC_PREVIOUS_SECRET_KEY`]: token('hmacPreviousSecretKey', text),
    [`${prefix}_HMAC_PREVIOUS_SECRET_KEY_VALID_UNTIL`]: token('hmacPreviousSecretKeyValidUntil', wholeNumber),
    [`${prefix}_RSA_PUBLIC_KEY`]: token('rsaPublicKey', text),
    [`${prefix}_ECDSA_PUBLIC_KEY`]: token('ecdsaPublicKey', text),
    [`${prefix}_JWKS_PUBLIC_ENDPOINT`]: token('jwksPublicEndpoint', text),
    [`${prefix}_AUDIENCE`]: token('audience', text),
    [`${prefix}_AUDIENCE_REGEX`]: token('audienceRegex', text),
    [`${prefix}_ISSUER`]: token('issuer', text),
    [`${prefix}_ISSUER_REGEX`]: token('issuerRegex', text),
    [`${prefix}_USER_ID_CLAIM`]: token('userIdClaim', claimName),
  };
}

function streamVariables(
  prefix: string,
  at: (draft: Draft) => Mutable<StreamOptions>,
): Record<string, Variable<Draft>> {
  const stream = section(at);
  return {
    [`${prefix}_ENABLED`]: stream('enabled', flag),
    [`${prefix}_HANDLER_PREFIX`]: stream('handlerPrefix', text),
    [`${prefix}_MAX_REQUEST_BODY_SIZE`]: stream('maxRequestBodySize', wholeNumber),
  };
}

/** Variables that do here what they do on Centrifugo. The lists of namespaces and proxies, and what begins with their names, are read in `env.ts`. */
export const HONOURED: ReadonlyMap<string, Variable<Draft>> = new Map(
  Object.entries({
    HTTP_SERVER_ADDRESS: server('host', text),
    HTTP_SERVER_PORT: server('port', wholeNumber),
    NODE_NAME: server('name', text),
    HTTP_API_KEY: api('key', text),
    HTTP_API_HANDLER_PREFIX: api('handlerPrefix', text),
    HTTP_API_ERROR_MODE: api('errorMode', oneOf('transport')),
    HTTP_API_INSECURE: api('insecure', flag),
    HTTP_API_DISABLED: api('disabled', flag),
    CLIENT_ALLOWED_ORIGINS: client('allowedOrigins', spacedList),
    CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: client('allowAnonymousConnectWithoutToken', flag),
    CLIENT_DISALLOW_ANONYMOUS_CONNECTION_TOKENS: client('disallowAnonymousConnectionTokens', flag),
    CLIENT_INSECURE: client('insecure', flag),
    CLIENT_INSECURE_SKIP_TOKEN_SIGNATURE_VERIFY: client('insecureSkipTokenSignatureVerify', flag),
    CLIENT_PING_INTERVAL: client('pingIntervalMs', duration),
    CLIENT_PONG_TIMEOUT: client('pongTimeoutMs', duration),
    CLIENT_EXPIRED_CLOSE_DELAY: client('expiredCloseDelayMs', duration),
    CLIENT_EXPIRED_SUB_CLOSE_DELAY: client('expiredSubCloseDelayMs', duration),
    CLIENT_STALE_CLOSE_DELAY: client('staleCloseDelayMs', duration),
    CLIENT_CHANNEL_LIMIT: client('channelLimit', wholeNumber),
    CLIENT_QUEUE_MAX_SIZE: client('queueMaxSize', wholeNumber),
    CLIENT_PRESENCE_UPDATE_INTERVAL: client('presenceUpdateIntervalMs', duration),
    CLIENT_CONCURRENCY: client('concurrency', wholeNumber),
    CLIENT_CHANNEL_POSITION_CHECK_DELAY: client('channelPositionCheckDelayMs', duration),
    CLIENT_CONNECTION_LIMIT: client('connectionLimit', wholeNumber),
    CLIENT_CONNECTION_RATE_LIMIT: client('connectionRateLimit', wholeNumber),
    CLIENT_USER_CONNECTION_LIMIT: client('userConnectionLimit', wholeNumber),
    CLIENT_CONNECT_INCLUDE_SERVER_TIME: client('connectIncludeServerTime', flag),
    CLIENT_HISTORY_MAX_PUBLICATION_LIMIT: client('historyMaxPublicationLimit', wholeNumber),
    CLIENT_RECOVERY_MAX_PUBLICATION_LIMIT: client('recoveryMaxPublicationLimit', wholeNumber),
    CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_ENABLED: personal('enabled', flag),
    CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_PERSONAL_CHANNEL_NAMESPACE: personal('personalChannelNamespace', text),
    CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_SINGLE_CONNECTION: personal('singleConnection', flag),
    ...tokenVariables('CLIENT_TOKEN', ({ token }) => token),
    CLIENT_SUBSCRIPTION_TOKEN_ENABLED: subscription('enabled', flag),
    ...tokenVariables('CLIENT_SUBSCRIPTION_TOKEN', ({ subscriptionToken }) => subscriptionToken),
    CHANNEL_HISTORY_META_TTL: channel('historyMetaTtlMs', duration),
    CHANNEL_MAX_LENGTH: channel('maxLength', wholeNumber),
    CHANNEL_PRIVATE_PREFIX: channel('privatePrefix', text),
    CHANNEL_NAMESPACE_BOUNDARY: channel('namespaceBoundary', text),
    CHANNEL_USER_BOUNDARY: channel('userBoundary', text),
    CHANNEL_USER_SEPARATOR: channel('userSeparator', text),
    CHANNEL_PUBLICATION_DATA_FORMAT: channel('publicationDataFormat', oneOf('json', 'json_object', 'binary')),
    CLIENT_PROXY_CONNECT_ENABLED: connectProxy('enabled', flag),
    ...proxyVariables('CLIENT_PROXY_CONNECT_', (draft: Draft) => draft.proxies.connect),
    CLIENT_PROXY_REFRESH_ENABLED: refreshProxy('enabled', flag),
    ...proxyVariables('CLIENT_PROXY_REFRESH_', (draft: Draft) => draft.proxies.refresh),
    ...proxyVariables('CHANNEL_PROXY_SUBSCRIBE_', (draft: Draft) => draft.proxies.subscribe),
    ...proxyVariables('CHANNEL_PROXY_PUBLISH_', (draft: Draft) => draft.proxies.publish),
    ...proxyVariables('CHANNEL_PROXY_SUB_REFRESH_', (draft: Draft) => draft.proxies.subRefresh),
    ...proxyVariables('RPC_PROXY_', (draft: Draft) => draft.proxies.rpc),
    ...rpcNamespaceVariables('RPC_WITHOUT_NAMESPACE_', (draft: Draft) => draft.rpcWithoutNamespace),
    RPC_NAMESPACE_BOUNDARY: rpc('namespaceBoundary', text),
    WEBSOCKET_DISABLED: websocket('disabled', flag),
    WEBSOCKET_HANDLER_PREFIX: websocket('handlerPrefix', text),
    WEBSOCKET_MESSAGE_SIZE_LIMIT: websocket('messageSizeLimit', wholeNumber),
    ...streamVariables('HTTP_STREAM', ({ httpStream }) => httpStream),
    ...streamVariables('SSE', ({ sse }) => sse),
    EMULATION_HANDLER_PREFIX: emulation('handlerPrefix', text),
    EMULATION_MAX_REQUEST_BODY_SIZE: emulation('maxRequestBodySize', wholeNumber),
    ...streamVariables('UNI_SSE', ({ uniSse }) => uniSse),
    ...streamVariables('UNI_HTTP_STREAM', ({ uniHttpStream }) => uniHttpStream),
    UNI_WEBSOCKET_ENABLED: uniWebsocket('enabled', flag),
    UNI_WEBSOCKET_HANDLER_PREFIX: uniWebsocket('handlerPrefix', text),
    UNI_WEBSOCKET_MESSAGE_SIZE_LIMIT: uniWebsocket('messageSizeLimit', wholeNumber),
    PROMETHEUS_ENABLED: prometheus('enabled', flag),
    PROMETHEUS_HANDLER_PREFIX: prometheus('handlerPrefix', text),
    HEALTH_ENABLED: health('enabled', flag),
    HEALTH_HANDLER_PREFIX: health('handlerPrefix', text),
    SHUTDOWN_TIMEOUT: shutdown('timeoutMs', duration),
  } satisfies Record<string, Variable<Draft>>),
);

/**
 * Variables of Centrifugo that are accepted and change nothing here: logs, statistics, the admin pages, tuning of buffers, compression
 * (which is negotiated, so a client that asks for it simply does not get it), and the port for internal requests being the only one anyway.
 * Their values must be such as Centrifugo takes. The first that fits counts.
 */
export const WITHOUT_EFFECT: readonly (readonly [name: RegExp, parser: ValueParser<unknown>])[] = [
  [
    /^(?:ADMIN|DEBUG|GRAPHITE|OPENTELEMETRY|SWAGGER)_(?:API|CONSUMING|ENABLED|EXTERNAL|GOOGLE_CLOUD_ADC_AUTH|INSECURE|TAGS)$/,
    flag,
  ],
  [/^GRAPHITE_INTERVAL$/, duration],
  [/^GRAPHITE_PORT$/, wholeNumber],
  [/^(?:LOG|ADMIN|DEBUG|GRAPHITE|OPENTELEMETRY|SWAGGER)_/, text],
  [/^(?:USAGE_STATS_DISABLED|ENABLE_UNRELEASED_FEATURES|HTTP_API_EXTERNAL)$/, flag],
  [/^PROMETHEUS_(?:INSTRUMENT_HTTP_HANDLERS|NATIVE_HISTOGRAMS|RECOVERED_PUBLICATIONS_HISTOGRAM)$/, flag],
  [/^(?:PID_FILE|RPC_PING_METHOD)$/, text],
  [/^NODE_INFO_METRICS_AGGREGATE_INTERVAL$/, duration],
  [/^(?:UNI_)?WEBSOCKET_(?:COMPRESSION|USE_WRITE_BUFFER_POOL)$/, flag],
  [/^(?:UNI_)?WEBSOCKET_(?:COMPRESSION_LEVEL|COMPRESSION_MIN_SIZE|DECOMPRESSED_MESSAGE_SIZE_LIMIT)$/, wholeNumber],
  [/^(?:UNI_)?WEBSOCKET_(?:READ|WRITE)_BUFFER_SIZE$/, wholeNumber],
  [/^(?:UNI_)?WEBSOCKET_WRITE_TIMEOUT$/, duration],
  [/^CLIENT_CHANNEL_POSITION_MAX_TIME_LAG$/, duration],
  [/^CLIENT_(?:SUBSCRIPTION_)?TOKEN_INSECURE_SKIP_JWKS_ENDPOINT_SAFETY_CHECK$/, flag],
];

/** Features that are not here: their switches are accepted in the position in which Centrifugo has them by default. */
export const DEFAULT_ONLY: ReadonlyMap<string, readonly string[]> = new Map([
  ['ENGINE_TYPE', ['memory']],
  ['BROKER_ENABLED', ['false']],
  ['BROKER_TYPE', ['memory']],
  ['PRESENCE_MANAGER_ENABLED', ['false']],
  ['PRESENCE_MANAGER_TYPE', ['memory']],
  ['CONTROLLER_ENABLED', ['false']],
  ['MAP_BROKER_TYPE', ['memory']],
  ['CONSUMERS', ['[]']],
  ['RPC_PING_ENABLED', ['false']],
  ['GRPC_API_ENABLED', ['false']],
  ['INIT_ENABLED', ['false']],
  ['UNI_GRPC_ENABLED', ['false']],
  ['UNI_HTTP_STREAM_CONNECT_CODE_TO_HTTP_RESPONSE_ENABLED', ['false']],
  ['UNI_SSE_CONNECT_CODE_TO_HTTP_RESPONSE_ENABLED', ['false']],
  ['CLIENT_CONNECT_CODE_TO_UNIDIRECTIONAL_DISCONNECT_ENABLED', ['false']],
  ['WEBTRANSPORT_ENABLED', ['false']],
  ['HTTP_SERVER_TLS_ENABLED', ['false']],
  ['HTTP_SERVER_TLS_AUTOCERT_ENABLED', ['false']],
  ['HTTP_SERVER_HTTP3_ENABLED', ['false']],
  ['HTTP_SERVER_H2C_EXTERNAL', ['false']],
]);

/** Variables of the application (those that begin with `VAR_` may be used inside static headers), of tests and of Kubernetes: none of the server's business. */
export const NOT_THE_SERVERS: readonly RegExp[] = [
  /^(?:API_URL|API_KEY|TOKEN_SECRET|BIN)$/,
  /^TEST_/,
  /^VAR_/,
  /^SERVICE_(?:HOST|PORT)/,
  /^PORT(?:_\d+_(?:TCP|UDP)(?:_ADDR|_PORT|_PROTO)?)?$/,
];
