/**
 * The settings that scenarios need, each a full set of Centrifugo's own variables. One server is started per environment and shared by all of its
 * scenarios, which keep out of each other's way by names (`t.channel()`, `t.user`), so an environment must not hold a setting that disturbs others.
 */

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
} as const;

export type EnvironmentName = keyof typeof ENVIRONMENTS;
