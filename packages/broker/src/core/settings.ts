import { type ResolvedChannelOptions, resolveChannelOptions } from './channel-options.ts';
import { BrokerConfigError } from './errors.ts';
import { isGlob } from './glob.ts';
import { checkHandlerPaths, trimPath } from './handler-paths.ts';
import type { BrokerOptions, ChannelsOptions, ClientOptions, HttpApiOptions, StreamOptions } from './options.ts';
import { type ProxySettings, resolveProxies } from './proxy-options.ts';
import { resolveTokenOptions, type TokenSettings } from './token-options.ts';

/** All options with their defaults, checked. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly httpApi: Required<Omit<HttpApiOptions, 'errorMode'>> & { readonly isTransportErrorMode: boolean };
  readonly client: Required<
    Omit<ClientOptions, 'token' | 'subscriptionToken' | 'subscribeToUserPersonalChannel' | 'proxy'>
  > & {
    readonly token: TokenSettings;
    readonly subscriptionToken: TokenSettings | undefined;
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

type PersonalOptions = NonNullable<ClientOptions['subscribeToUserPersonalChannel']>;

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
    token = {},
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
  checkPersonal(personal ?? {}, channels);
  const settings: Settings = {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 8000,
    name: options.name ?? '',
    httpApi: {
      key: '',
      insecure: false,
      disabled: false,
      maxRequestBodySize: 64 * 1024 * 1024,
      ...httpApiRest,
      handlerPrefix: trimPath(httpApi.handlerPrefix ?? '/api'),
      isTransportErrorMode: errorMode === 'transport',
    },
    client: {
      allowedOrigins: [],
      allowAnonymousConnectWithoutToken: false,
      disallowAnonymousConnectionTokens: false,
      insecure: false,
      insecureSkipTokenSignatureVerify: false,
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
      ...pings(clientRest),
      token: resolveTokenOptions('client.token', token),
      subscriptionToken: subscriptionToken && resolveTokenOptions('client.subscription_token', subscriptionToken),
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
      handlerPrefix: trimPath(options.websocket?.handlerPrefix ?? '/connection/websocket'),
      messageSizeLimit: options.websocket?.messageSizeLimit ?? 65_536,
    },
    httpStream: stream('http_stream', options.httpStream),
    sse: stream('sse', options.sse),
    emulation: {
      maxRequestBodySize: 65_536,
      ...options.emulation,
      handlerPrefix: trimPath(options.emulation?.handlerPrefix ?? '/emulation'),
    },
    uniSse: stream('uni_sse', options.uniSse),
    uniHttpStream: stream('uni_http_stream', options.uniHttpStream),
    uniWebsocket: {
      enabled: false,
      messageSizeLimit: 65_536,
      ...options.uniWebsocket,
      handlerPrefix: trimPath(options.uniWebsocket?.handlerPrefix ?? '/connection/uni_websocket'),
    },
    prometheus: {
      enabled: options.prometheus?.enabled ?? false,
      handlerPrefix: trimPath(options.prometheus?.handlerPrefix ?? '/metrics'),
    },
    health: {
      enabled: options.health?.enabled ?? true,
      handlerPrefix: trimPath(options.health?.handlerPrefix ?? '/health'),
    },
    shutdown: { timeoutMs: options.shutdown?.timeoutMs ?? 30_000 },
  };
  checkTogether(settings);
  return settings;
}

function stream(name: string, options: StreamOptions = {}): Required<StreamOptions> {
  const handlerPrefix = trimPath(options.handlerPrefix ?? `/connection/${name}`);
  return { enabled: false, maxRequestBodySize: 65_536, ...options, handlerPrefix };
}

function checkNamespace(name: string): string {
  if (NAMESPACE_NAME.test(name)) return name;
  throw new BrokerConfigError(`Namespace name ${JSON.stringify(name)} must match ${NAMESPACE_NAME.source}.`);
}

/** The times are compared as they are given. Zero is then a default, of the library below Centrifugo, which differs from the option's own. */
function pings({ pingIntervalMs = 25_000, pongTimeoutMs = 8_000 }: ClientOptions) {
  if (pongTimeoutMs >= pingIntervalMs)
    throw new BrokerConfigError('client.pong_timeout must be less than client.ping_interval.');
  return { pingIntervalMs: pingIntervalMs || 25_000, pongTimeoutMs: pongTimeoutMs || 10_000 };
}

function checkTogether(settings: Settings): void {
  for (const pattern of settings.client.allowedOrigins)
    if (!isGlob(pattern))
      throw new BrokerConfigError(
        `client.allowed_origins: ${JSON.stringify(pattern)} is no pattern: brackets hold a list or one range, and are closed.`,
      );
  checkPaths(settings);
}

/** What is said about personal channels must be right, as on Centrifugo, also while they are switched off. */
function checkPersonal(
  { enabled, personalChannelNamespace: name = '', singleConnection }: PersonalOptions,
  { withoutNamespace, namespaces }: Settings['channel'],
): void {
  const options = namespaces.get(name);
  if (enabled && name !== '' && !options)
    throw new BrokerConfigError(`Namespace ${JSON.stringify(name)} of personal channels is not configured.`);
  const used = [...(enabled && name !== '' ? [] : [withoutNamespace]), ...(options ? [options] : [])];
  if (singleConnection && !used.every(({ presence }) => presence))
    throw new BrokerConfigError('A single connection per user needs presence in the namespace of personal channels.');
}

function checkPaths(settings: Settings): void {
  const { httpApi, httpStream, sse, emulation, websocket } = settings;
  const path = (where: string, handlerPrefix: string, isServed: boolean) => ({
    where: `${where}.handler_prefix`,
    path: handlerPrefix,
    isServed,
  });
  const switched = Object.entries({
    http_stream: httpStream,
    sse,
    uni_sse: settings.uniSse,
    uni_http_stream: settings.uniHttpStream,
    uni_websocket: settings.uniWebsocket,
    prometheus: settings.prometheus,
    health: settings.health,
  });
  checkHandlerPaths(path('http_api', httpApi.handlerPrefix, !httpApi.disabled), [
    path('websocket', websocket.handlerPrefix, !websocket.disabled),
    path('emulation', emulation.handlerPrefix, httpStream.enabled || sse.enabled),
    ...switched.map(([name, { handlerPrefix, enabled }]) => path(name, handlerPrefix, enabled)),
  ]);
}
