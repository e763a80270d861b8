import type { Disconnect, ReplyError } from '../protocol/codes.ts';
import type { ResolvedChannelOptions } from './channel-options.ts';
import { BrokerConfigError } from './errors.ts';

/** An HTTP status of the application that stands for an error or a disconnect; one of both. */
export interface StatusTransform {
  /** The HTTP status. Not 0. */
  readonly statusCode: number;
  /** The client gets this error in the answer to its command. */
  readonly toError?: ReplyError;
  /** The client is disconnected with this. */
  readonly toDisconnect?: Disconnect;
}

/** Where and how the application is asked. Names and meaning are Centrifugo's: https://centrifugal.dev/docs/server/proxy */
export interface ProxyOptions {
  /** `http://` or `https://` address that gets a POST. */
  readonly endpoint?: string;
  /** Time for the whole answer. @default 1000 */
  readonly timeoutMs?: number;
  /** Headers of the client's own request that are passed on, as they were when it connected. @default none */
  readonly httpHeaders?: readonly string[];
  /** Headers that the client sets inside its connect command. It can write anything there. A real header of the same name wins. @default none */
  readonly emulatedHeaders?: readonly string[];
  /** Sent with every request, such as a secret that proves the sender. A client's header that is passed on wins. */
  readonly staticHeaders?: Readonly<Record<string, string>>;
  /** Send the `meta` of the connection. @default false */
  readonly includeConnectionMeta?: boolean;
  /** Send data as base64 in `b64data`, for data that is not JSON. @default false */
  readonly binaryEncoding?: boolean;
  /** Other statuses than 200 are error 100, unless they stand here. */
  readonly statusToCodeTransforms?: readonly StatusTransform[];
}

/** A proxy with a switch of its own. */
export interface SwitchedProxyOptions extends ProxyOptions {
  /** @default false */
  readonly enabled?: boolean;
}

/** What happens to the RPC methods of a namespace. */
export interface RpcNamespaceOptions {
  /** Ask the application. @default false */
  readonly proxyEnabled?: boolean;
  /** A name out of `proxies`. @default 'default': `rpc.proxy` */
  readonly proxyName?: string;
}

/** Calls of application code by clients. */
export interface RpcOptions {
  /** Who is asked, where a namespace names no other proxy. */
  readonly proxy?: ProxyOptions;
  /** For methods whose names have no namespace. */
  readonly withoutNamespace?: RpcNamespaceOptions;
  /** By the part of the method's name before the boundary. */
  readonly namespaces?: Readonly<Record<string, RpcNamespaceOptions>>;
  /** @default ':' */
  readonly namespaceBoundary?: string;
}

/** Everything about proxies, as it stands in the options. */
interface ProxiesOptions {
  readonly connect: SwitchedProxyOptions;
  readonly refresh: SwitchedProxyOptions;
  /** The proxies that channels and methods mean by 'default'. */
  readonly subscribe: ProxyOptions;
  readonly publish: ProxyOptions;
  readonly subRefresh: ProxyOptions;
  readonly rpc: RpcOptions;
  readonly named: Readonly<Record<string, ProxyOptions>>;
}

/** A proxy with every default filled in; header names are in lower case. */
export type AppProxy = Required<ProxyOptions>;

/** Proxies by the name that a namespace gives them; only those that are in use. */
export type ProxyTable = ReadonlyMap<string, AppProxy>;

export interface ProxySettings {
  readonly connect: AppProxy | undefined;
  readonly refresh: AppProxy | undefined;
  readonly subscribe: ProxyTable;
  readonly publish: ProxyTable;
  readonly subRefresh: ProxyTable;
  readonly rpc: ProxyTable;
  readonly rpcNamespaceBoundary: string;
  /** By name; '' is for methods without namespace. */
  readonly rpcNamespaces: ReadonlyMap<string, Required<RpcNamespaceOptions>>;
  /** Headers that any proxy passes on. Others need not be kept. */
  readonly httpHeaders: ReadonlySet<string>;
  readonly emulatedHeaders: ReadonlySet<string>;
}

/** Means the proxy of the section that the question belongs to. */
export const DEFAULT_NAME = 'default';
const NAME = /^[-a-zA-Z0-9_.]{2,}$/;
/** Both go into a close frame, which holds no more. */
const MAX_REASON_BYTES = 123;

/** Fills in the defaults and checks what belongs together. @throws BrokerConfigError (`invalid_config`) */
export function resolveProxies(options: ProxiesOptions, channels: readonly ResolvedChannelOptions[]): ProxySettings {
  const named = new Map(Object.entries(options.named).map(([name, proxy]) => [name, resolveNamed(name, proxy)]));
  const table = (
    where: string,
    fallback: ProxyOptions,
    uses: readonly { readonly isOn: boolean; readonly name: string }[],
  ) => {
    const proxies = new Map<string, AppProxy>();
    for (const { isOn, name } of uses) {
      const proxy = name === DEFAULT_NAME ? isOn && resolveProxy(where, fallback) : named.get(name);
      if (proxy === undefined) throw new BrokerConfigError(`${where}: there is no proxy ${JSON.stringify(name)}.`);
      if (isOn && proxy) proxies.set(name, proxy);
    }
    return proxies;
  };
  const { rpc } = options;
  const rpcNamespaces = new Map(
    [['', rpc.withoutNamespace ?? {}] as const, ...Object.entries(rpc.namespaces ?? {})].map(([name, namespace]) => [
      name === '' ? name : checkName('RPC namespace', name),
      { proxyEnabled: false, proxyName: DEFAULT_NAME, ...namespace },
    ]),
  );
  const settings = {
    connect: options.connect.enabled ? resolveProxy('client.proxy.connect', options.connect) : undefined,
    refresh: options.refresh.enabled ? resolveProxy('client.proxy.refresh', options.refresh) : undefined,
    subscribe: table(
      'channel.proxy.subscribe',
      options.subscribe,
      channels.map((channel) => ({ isOn: channel.subscribeProxyEnabled, name: channel.subscribeProxyName })),
    ),
    publish: table(
      'channel.proxy.publish',
      options.publish,
      channels.map((channel) => ({ isOn: channel.publishProxyEnabled, name: channel.publishProxyName })),
    ),
    subRefresh: table(
      'channel.proxy.sub_refresh',
      options.subRefresh,
      channels.map((channel) => ({ isOn: channel.subRefreshProxyEnabled, name: channel.subRefreshProxyName })),
    ),
    rpc: table(
      'rpc.proxy',
      rpc.proxy ?? {},
      [...rpcNamespaces.values()].map(({ proxyEnabled, proxyName }) => ({ isOn: proxyEnabled, name: proxyName })),
    ),
  };
  const { connect, refresh, subscribe, publish, subRefresh } = settings;
  const tables = [subscribe, publish, subRefresh, settings.rpc];
  const used = [connect, refresh, ...tables.flatMap((proxies) => [...proxies.values()])].filter(
    (proxy) => proxy !== undefined,
  );
  return {
    ...settings,
    rpcNamespaceBoundary: rpc.namespaceBoundary ?? ':',
    rpcNamespaces,
    httpHeaders: new Set(used.flatMap(({ httpHeaders }) => httpHeaders)),
    emulatedHeaders: new Set(used.flatMap(({ emulatedHeaders }) => emulatedHeaders)),
  };
}

function checkName(what: string, name: string): string {
  if (NAME.test(name)) return name;
  throw new BrokerConfigError(`${what} name ${JSON.stringify(name)} must match ${NAME.source}.`);
}

function resolveNamed(name: string, options: ProxyOptions): AppProxy {
  if (name === DEFAULT_NAME) throw new BrokerConfigError(`proxies: the name "${DEFAULT_NAME}" is reserved.`);
  return resolveProxy(`proxy ${checkName('Proxy', name)}`, options);
}

function resolveProxy(where: string, options: ProxyOptions): AppProxy {
  const { endpoint = '', timeoutMs = 1000, statusToCodeTransforms = [] } = options;
  if (endpoint === '') throw new BrokerConfigError(`${where}: endpoint is not set.`);
  // The address itself may hold a password and is not repeated.
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw new BrokerConfigError(
      `${where}: endpoint must be an http:// or https:// URL. For proxies over GRPC run Centrifugo itself.`,
    );
  if (!(timeoutMs > 0)) throw new BrokerConfigError(`${where}: timeout must be more than 0.`);
  for (const transform of statusToCodeTransforms) checkTransform(where, transform);
  const lowerCase = (names: readonly string[] = []) => names.map((name) => name.toLowerCase());
  return {
    endpoint,
    timeoutMs,
    httpHeaders: lowerCase(options.httpHeaders),
    emulatedHeaders: lowerCase(options.emulatedHeaders),
    staticHeaders: options.staticHeaders ?? {},
    includeConnectionMeta: options.includeConnectionMeta ?? false,
    binaryEncoding: options.binaryEncoding ?? false,
    statusToCodeTransforms,
  };
}

function checkTransform(where: string, { statusCode, toError, toDisconnect }: StatusTransform): void {
  const fail = (problem: string): never => {
    throw new BrokerConfigError(`${where}: status_to_code_transforms: ${problem}`);
  };
  if (statusCode === 0) fail('every one needs a status_code.');
  if ((toError?.code ?? 0) > 0 === (toDisconnect?.code ?? 0) > 0)
    fail(`status ${statusCode} needs either to_error or to_disconnect with a code.`);
  const text = toError?.message ?? toDisconnect?.reason ?? '';
  if (Buffer.byteLength(text) !== text.length || text.length > MAX_REASON_BYTES)
    fail(`the text for status ${statusCode} must be ASCII of at most ${MAX_REASON_BYTES} characters.`);
}
