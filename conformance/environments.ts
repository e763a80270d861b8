import { KEY_PAIRS } from './clients/key-pairs.ts';

/**
 * The settings that scenarios need, each a full set of Centrifugo's own variables. One server is started per environment and shared by all of its
 * scenarios, which keep out of each other's way by names (`t.channel()`, `t.user`), so an environment must not hold a setting that disturbs others.
 */

/** Stands in a variable for the address of the application behind the proxies, which is known only when it runs. */
export const APP = '{{app}}';
/** Stands in a variable for the unique name of the scenario whose own server this is. */
export const UNIQUE = '{{unique}}';

type Options = Readonly<Record<string, string | number | boolean>>;

export interface Environment {
  readonly name: string;
  /** Centrifugo's variables, complete but for address and port. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Keys of the test servers; nothing else ever uses them. */
export const SECRETS = {
  token: 'conformance-token-secret-0123456789',
  previousToken: 'conformance-previous-token-secret-0123',
  subscriptionToken: 'conformance-subscription-token-secret-',
  api: 'conformance-api-key',
} as const;

const common: Options = {
  HEALTH_ENABLED: true,
  LOG_LEVEL: 'info',
  USAGE_STATS_DISABLED: true,
  HTTP_API_KEY: SECRETS.api,
  CLIENT_TOKEN_HMAC_SECRET_KEY: SECRETS.token,
};

const history = { HISTORY_SIZE: 10, HISTORY_TTL: '10m' } as const;
const open = { ALLOW_SUBSCRIBE_FOR_CLIENT: true } as const;

function environment(name: string, options: Options, namespaces: Record<string, Options>): Environment {
  const variables: Record<string, string> = {};
  const set = (prefix: string, values: Options): void => {
    for (const [key, value] of Object.entries(values)) variables[`${prefix}${key}`] = String(value);
  };
  set('CENTRIFUGO_', { ...common, ...options });
  const names = Object.keys(namespaces);
  if (names.length) variables.CENTRIFUGO_CHANNEL_NAMESPACES = names.join(' ');
  for (const [namespace, values] of Object.entries(namespaces))
    set(`CENTRIFUGO_CHANNEL_NAMESPACES_${namespace.toUpperCase()}_`, values);
  return { name, variables };
}

/** The namespaces of most scenarios. Names are lower case words without separators, because a variable's name spells them. */
const namespaces = {
  /** As the library itself is set up. */
  trpc: { HISTORY_SIZE: 300, HISTORY_TTL: '10m', FORCE_RECOVERY: true },
  /** Nothing but subscribing. */
  plain: open,
  /** Nothing at all: the default is closed. */
  closed: {},
  /** A client may do everything. */
  open: {
    ...open,
    ...history,
    ALLOW_PUBLISH_FOR_CLIENT: true,
    ALLOW_HISTORY_FOR_CLIENT: true,
    ALLOW_PRESENCE_FOR_CLIENT: true,
    PRESENCE: true,
  },
  /** A subscriber may do everything. */
  members: {
    ...open,
    ...history,
    ALLOW_PUBLISH_FOR_SUBSCRIBER: true,
    ALLOW_HISTORY_FOR_SUBSCRIBER: true,
    ALLOW_PRESENCE_FOR_SUBSCRIBER: true,
    PRESENCE: true,
  },
  /** Those without a name may do everything. */
  anonymous: {
    ...history,
    ALLOW_SUBSCRIBE_FOR_ANONYMOUS: true,
    ALLOW_SUBSCRIBE_FOR_CLIENT: true,
    ALLOW_PUBLISH_FOR_ANONYMOUS: true,
    ALLOW_PUBLISH_FOR_CLIENT: true,
    ALLOW_HISTORY_FOR_ANONYMOUS: true,
    ALLOW_HISTORY_FOR_CLIENT: true,
    ALLOW_PRESENCE_FOR_ANONYMOUS: true,
    ALLOW_PRESENCE_FOR_CLIENT: true,
    PRESENCE: true,
  },
  /** Permissions without the features: history and presence are off. */
  featureless: {
    ...open,
    ALLOW_PUBLISH_FOR_CLIENT: true,
    ALLOW_HISTORY_FOR_CLIENT: true,
    ALLOW_PRESENCE_FOR_CLIENT: true,
  },
  recovery: { ...open, ...history, HISTORY_SIZE: 5, FORCE_RECOVERY: true },
  position: { ...open, ...history, FORCE_POSITIONING: true },
  /** Recovery and positioning on request. */
  asked: { ...open, ...history, ALLOW_RECOVERY: true, ALLOW_POSITIONING: true },
  /** History without recovery. */
  kept: { ...open, ...history, ALLOW_HISTORY_FOR_CLIENT: true },
  /** History that clients neither read nor recover from. */
  stored: { ...open, ...history },
  /** History that ends soon. */
  brief: { ...open, HISTORY_SIZE: 5, HISTORY_TTL: '1s', FORCE_RECOVERY: true, ALLOW_HISTORY_FOR_CLIENT: true },
  /** Everybody hears of joins and leaves. */
  joining: {
    ...open,
    PRESENCE: true,
    ALLOW_PRESENCE_FOR_SUBSCRIBER: true,
    JOIN_LEAVE: true,
    FORCE_PUSH_JOIN_LEAVE: true,
  },
  /** Who asks, and may see presence, hears of joins and leaves. */
  joinasked: { ...open, JOIN_LEAVE: true, PRESENCE: true, ALLOW_PRESENCE_FOR_CLIENT: true },
  /** Joins and leaves that nobody may see. */
  joinhidden: { ...open, JOIN_LEAVE: true, PRESENCE: true },
  limited: { ALLOW_USER_LIMITED_CHANNELS: true },
  regex: { ...open, CHANNEL_REGEX: '^[a-z0-9_-]+$' },
  jsonobject: { ...open, PUBLICATION_DATA_FORMAT: 'json_object', ALLOW_PUBLISH_FOR_CLIENT: true },
  json: { ...open, PUBLICATION_DATA_FORMAT: 'json', ALLOW_PUBLISH_FOR_CLIENT: true },
} as const;

export const ENVIRONMENTS = {
  standard: environment('standard', {}, namespaces),
  /** Everything that is short in time: pings, grace delays, checks. */
  short: environment(
    'short',
    {
      CLIENT_PING_INTERVAL: '1s',
      CLIENT_PONG_TIMEOUT: '500ms',
      CLIENT_STALE_CLOSE_DELAY: '1s',
      CLIENT_EXPIRED_CLOSE_DELAY: '2s',
      CLIENT_EXPIRED_SUB_CLOSE_DELAY: '2s',
      CLIENT_PRESENCE_UPDATE_INTERVAL: '1s',
      CLIENT_CHANNEL_POSITION_CHECK_DELAY: '1s',
    },
    { plain: open, closed: {}, joining: namespaces.joining, open: namespaces.open, recovery: namespaces.recovery },
  ),
  /** Pings more often than a second, on every transport. A busy machine may lose clients here, so no scenario asks that one stays that owes a pong. */
  subsecond: environment(
    'subsecond',
    {
      CLIENT_PING_INTERVAL: '900ms',
      CLIENT_PONG_TIMEOUT: '700ms',
      HTTP_STREAM_ENABLED: true,
      SSE_ENABLED: true,
      UNI_SSE_ENABLED: true,
      UNI_HTTP_STREAM_ENABLED: true,
      UNI_WEBSOCKET_ENABLED: true,
    },
    { plain: open, closed: {}, open: { ...namespaces.open, HISTORY_SIZE: 1 } },
  ),
  /** Small limits. */
  limits: environment(
    'limits',
    {
      CLIENT_CHANNEL_LIMIT: 3,
      CLIENT_QUEUE_MAX_SIZE: 65536,
      CLIENT_HISTORY_MAX_PUBLICATION_LIMIT: 3,
      CLIENT_RECOVERY_MAX_PUBLICATION_LIMIT: 3,
      CLIENT_USER_CONNECTION_LIMIT: 2,
      CHANNEL_MAX_LENGTH: 40,
      WEBSOCKET_MESSAGE_SIZE_LIMIT: 1024,
    },
    { plain: open, closed: {}, open: { ...namespaces.open, ALLOW_RECOVERY: true } },
  ),
  /** Two token keys, an audience and an issuer. */
  keys: environment(
    'keys',
    {
      CLIENT_TOKEN_HMAC_PREVIOUS_SECRET_KEY: SECRETS.previousToken,
      CLIENT_TOKEN_AUDIENCE: 'centrifugo',
      CLIENT_TOKEN_ISSUER: 'app',
    },
    { plain: open, closed: {} },
  ),
  /** A key of its own for subscription tokens. */
  subkey: environment(
    'subkey',
    { CLIENT_SUBSCRIPTION_TOKEN_ENABLED: true, CLIENT_SUBSCRIPTION_TOKEN_HMAC_SECRET_KEY: SECRETS.subscriptionToken },
    { plain: open, closed: {} },
  ),
  /** A previous key whose time has passed. */
  oldkey: environment(
    'oldkey',
    {
      CLIENT_TOKEN_HMAC_PREVIOUS_SECRET_KEY: SECRETS.previousToken,
      CLIENT_TOKEN_HMAC_PREVIOUS_SECRET_KEY_VALID_UNTIL: 1500000000,
    },
    { plain: open, closed: {} },
  ),
  /** Browsers of two origins, and clients without a token. */
  origins: environment(
    'origins',
    {
      CLIENT_ALLOWED_ORIGINS: 'http://app.example https://*.wild.example',
      CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: true,
      CLIENT_DISALLOW_ANONYMOUS_CONNECTION_TOKENS: true,
      HTTP_API_ERROR_MODE: 'transport',
    },
    { plain: open, closed: {}, open: namespaces.open, anonymous: namespaces.anonymous },
  ),
  /** The other transports, with the namespaces of `standard`. */
  transports: environment(
    'transports',
    {
      HTTP_STREAM_ENABLED: true,
      SSE_ENABLED: true,
      UNI_SSE_ENABLED: true,
      UNI_HTTP_STREAM_ENABLED: true,
      UNI_WEBSOCKET_ENABLED: true,
      CLIENT_ALLOWED_ORIGINS: 'http://app.example',
      PROMETHEUS_ENABLED: true,
    },
    namespaces,
  ),
  /** Keys of pairs: RSA and ECDSA. */
  publickeys: environment(
    'publickeys',
    { CLIENT_TOKEN_RSA_PUBLIC_KEY: KEY_PAIRS.rsa.publicPem, CLIENT_TOKEN_ECDSA_PUBLIC_KEY: KEY_PAIRS.ec.publicPem },
    { plain: open, closed: {} },
  ),
  /** Keys from a JSON Web Key Set. */
  jwks: environment(
    'jwks',
    {
      CLIENT_TOKEN_JWKS_PUBLIC_ENDPOINT: `${APP}/jwks`,
      CLIENT_TOKEN_INSECURE_SKIP_JWKS_ENDPOINT_SAFETY_CHECK: true,
    },
    { plain: open, closed: {} },
  ),
  /** Keys from a set that a scenario answers for itself. */
  ownkeys: environment(
    'ownkeys',
    {
      CLIENT_TOKEN_JWKS_PUBLIC_ENDPOINT: `${APP}/keys/${UNIQUE}`,
      CLIENT_TOKEN_INSECURE_SKIP_JWKS_ENDPOINT_SAFETY_CHECK: true,
    },
    {},
  ),
  /** The application behind proxies decides. */
  proxies: environment(
    'proxies',
    {
      CLIENT_ALLOWED_ORIGINS: 'http://app.example',
      CLIENT_EXPIRED_CLOSE_DELAY: '2s',
      CLIENT_EXPIRED_SUB_CLOSE_DELAY: '2s',
      CLIENT_PRESENCE_UPDATE_INTERVAL: '1s',
      CLIENT_CONCURRENCY: 8,
      CLIENT_PROXY_CONNECT_ENABLED: true,
      CLIENT_PROXY_CONNECT_ENDPOINT: `${APP}/connect`,
      CLIENT_PROXY_CONNECT_HTTP_HEADERS: 'Cookie Origin X-Real',
      CLIENT_PROXY_CONNECT_EMULATED_HEADERS: 'X-Real X-Emulated',
      CLIENT_PROXY_REFRESH_ENABLED: true,
      CLIENT_PROXY_REFRESH_ENDPOINT: `${APP}/refresh`,
      CHANNEL_PROXY_SUBSCRIBE_ENDPOINT: `${APP}/subscribe`,
      CHANNEL_PROXY_PUBLISH_ENDPOINT: `${APP}/publish`,
      CHANNEL_PROXY_SUB_REFRESH_ENDPOINT: `${APP}/sub_refresh`,
      RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: true,
      RPC_PROXY_ENDPOINT: `${APP}/rpc`,
      RPC_PROXY_TIMEOUT: '500ms',
      RPC_PROXY_HTTP_HEADERS: 'Cookie',
      RPC_PROXY_HTTP_STATIC_HEADERS: '{"X-Static":"s"}',
      RPC_PROXY_INCLUDE_CONNECTION_META: true,
      RPC_PROXY_HTTP_STATUS_TO_CODE_TRANSFORMS:
        '[{"status_code":401,"to_error":{"code":1401,"message":"go away"}},{"status_code":403,"to_disconnect":{"code":4501,"reason":"out"}}]',
      RPC_NAMESPACES: 'named',
      RPC_NAMESPACES_NAMED_PROXY_ENABLED: true,
      RPC_NAMESPACES_NAMED_PROXY_NAME: 'other',
      PROXIES: 'other',
      PROXIES_OTHER_ENDPOINT: `${APP}/other`,
    },
    {
      closed: {},
      plain: open,
      proxied: {
        ...history,
        PRESENCE: true,
        ALLOW_PRESENCE_FOR_SUBSCRIBER: true,
        ALLOW_RECOVERY: true,
        SUBSCRIBE_PROXY_ENABLED: true,
        PUBLISH_PROXY_ENABLED: true,
        SUB_REFRESH_PROXY_ENABLED: true,
      },
    },
  ),
  /** Everybody's personal channel. */
  personal: environment(
    'personal',
    {
      CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_ENABLED: true,
      CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_PERSONAL_CHANNEL_NAMESPACE: 'me',
    },
    { me: history, plain: open, closed: {} },
  ),
  /** One connection per user. */
  single: environment(
    'single',
    {
      CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_ENABLED: true,
      CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_PERSONAL_CHANNEL_NAMESPACE: 'open',
      CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_SINGLE_CONNECTION: true,
      CLIENT_DISALLOW_ANONYMOUS_CONNECTION_TOKENS: true,
    },
    { open: namespaces.open, closed: {} },
  ),
  /** No permission checks. */
  insecure: environment('insecure', { CLIENT_INSECURE: true }, namespaces),
  /** Another claim for the user, and expressions for audience and issuer. */
  claims: environment(
    'claims',
    {
      CLIENT_TOKEN_USER_ID_CLAIM: 'uid',
      CLIENT_TOKEN_AUDIENCE_REGEX: '^a.',
      CLIENT_TOKEN_ISSUER_REGEX: 'x(?P<n>[0-9]+)',
    },
    { open: namespaces.open, closed: {} },
  ),
  /** Other marks in the names of channels, and no pings. */
  marks: environment(
    'marks',
    {
      CHANNEL_PRIVATE_PREFIX: '!',
      CHANNEL_NAMESPACE_BOUNDARY: '/',
      CHANNEL_USER_BOUNDARY: '@@',
      CHANNEL_USER_SEPARATOR: ';',
      CHANNEL_WITHOUT_NAMESPACE_ALLOW_SUBSCRIBE_FOR_CLIENT: true,
      CHANNEL_WITHOUT_NAMESPACE_PRESENCE: true,
      CHANNEL_WITHOUT_NAMESPACE_ALLOW_PRESENCE_FOR_SUBSCRIBER: true,
      CHANNEL_MAX_LENGTH: 20,
      CHANNEL_PUBLICATION_DATA_FORMAT: 'json',
      CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: true,
      CLIENT_PING_INTERVAL: '-1s',
      CLIENT_PONG_TIMEOUT: '-2s',
    },
    namespaces,
  ),
  /** Delta compression, filters by tag, recovery of the latest publication only. */
  extras: environment(
    'extras',
    {},
    {
      closed: {},
      delta: {
        ...open,
        ...history,
        FORCE_RECOVERY: true,
        ALLOWED_DELTA_TYPES: 'fossil',
        ALLOW_PUBLISH_FOR_CLIENT: true,
      },
      deltaalways: {
        ...open,
        ...history,
        FORCE_RECOVERY: true,
        ALLOWED_DELTA_TYPES: 'fossil',
        DELTA_PUBLISH: true,
        ALLOW_PUBLISH_FOR_CLIENT: true,
      },
      nodelta: { ...open, ...history, FORCE_RECOVERY: true },
      filter: { ...open, ...history, ALLOW_TAGS_FILTER: true, FORCE_RECOVERY: true },
      nofilter: { ...open, ...history },
      cache: { ...open, ...history, FORCE_RECOVERY: true, FORCE_RECOVERY_MODE: 'cache' },
      autocache: { ...open, ...history, FORCE_RECOVERY: true, FORCE_RECOVERY_MODE: 'cache', AUTO_CACHE_RECOVER: true },
    },
  ),
} as const;

export type EnvironmentName = keyof typeof ENVIRONMENTS;
