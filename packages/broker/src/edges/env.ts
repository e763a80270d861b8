import { BrokerConfigError } from '../core/errors.ts';
import type { BrokerOptions } from '../core/options.ts';
import type { ProxyOptions, RpcNamespaceOptions } from '../core/proxy-options.ts';
import { NamedList } from './env-named.ts';
import {
  CHANNEL_VARIABLES,
  DEFAULT_ONLY,
  type Draft,
  HONOURED,
  NOT_THE_SERVERS,
  WITHOUT_EFFECT,
} from './env-options.ts';
import { fillReferences, proxyVariables, rpcNamespaceVariables } from './env-proxies.ts';
import { flag, parseValue } from './env-values.ts';
import type { Mutable } from './env-variable.ts';

const PREFIX = 'CENTRIFUGO_';
const WITHOUT_NAMESPACE = 'CHANNEL_WITHOUT_NAMESPACE_';
const PROXY_VARIABLES = new Map(Object.entries(proxyVariables('', (proxy: Mutable<ProxyOptions>) => proxy)));
const RPC_NAMESPACE_VARIABLES = new Map(
  Object.entries(rpcNamespaceVariables('', (namespace: Mutable<RpcNamespaceOptions>) => namespace)),
);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options from environment variables under Centrifugo's names. An empty variable counts as unset.
 * @throws BrokerConfigError (`invalid_config`) for a value that cannot be read, and for an option that the broker does not know
 */
export function optionsFromEnv(env: Environment): BrokerOptions {
  const draft: Draft = {
    host: '',
    httpApi: {},
    client: {},
    token: {},
    subscriptionToken: {},
    personalChannel: {},
    channel: {},
    withoutNamespace: {},
    proxies: { connect: {}, refresh: {}, subscribe: {}, publish: {}, subRefresh: {}, rpc: {} },
    rpc: {},
    rpcWithoutNamespace: {},
    websocket: {},
    httpStream: {},
    sse: {},
    emulation: {},
    uniSse: {},
    uniHttpStream: {},
    uniWebsocket: {},
    prometheus: {},
    health: { enabled: false },
    shutdown: {},
  };
  const namespaces = new NamedList('CHANNEL_NAMESPACES', CHANNEL_VARIABLES, () => ({}));
  const rpcNamespaces = new NamedList('RPC_NAMESPACES', RPC_NAMESPACE_VARIABLES, () => ({}));
  const named = new NamedList('PROXIES', PROXY_VARIABLES, () => ({}));
  const lists = [namespaces, rpcNamespaces, named];
  const read = (name: string) => filledIn(name, env[name] ?? '', env);
  for (const list of lists) list.readList(read(PREFIX + list.key));
  for (const name of Object.keys(env))
    if (name.startsWith(PREFIX) && env[name]) readVariable(draft, lists, name, read(name));
  const { token, subscriptionToken, personalChannel, withoutNamespace, client, channel, ...others } = draft;
  const { proxies, rpc, rpcWithoutNamespace, ...rest } = others;
  const { enabled, ...separate } = subscriptionToken;
  return {
    ...rest,
    client: {
      ...client,
      token,
      ...(enabled ? { subscriptionToken: separate } : {}),
      subscribeToUserPersonalChannel: personalChannel,
      proxy: { connect: proxies.connect, refresh: proxies.refresh },
    },
    channel: {
      ...channel,
      withoutNamespace,
      namespaces: Object.fromEntries(namespaces.items),
      proxy: { subscribe: proxies.subscribe, publish: proxies.publish, subRefresh: proxies.subRefresh },
    },
    rpc: {
      ...rpc,
      proxy: proxies.rpc,
      withoutNamespace: rpcWithoutNamespace,
      namespaces: Object.fromEntries(rpcNamespaces.items),
    },
    proxies: Object.fromEntries(named.items),
  };
}

/** Secrets inside JSON may stand in variables of their own. */
function filledIn(name: string, value: string, env: Environment): string {
  if (!/(?:_HTTP_STATIC_HEADERS|^CENTRIFUGO_PROXIES)$/.test(name)) return value;
  const filled = fillReferences(value, env);
  if (filled === undefined) throw new BrokerConfigError(`${name} uses a variable CENTRIFUGO_VAR_… that is not set.`);
  return filled;
}

function readVariable(
  draft: Draft,
  lists: readonly { readonly key: string; readOption(key: string, name: string, value: string): boolean }[],
  name: string,
  value: string,
): void {
  const key = name.slice(PREFIX.length);
  const honoured = HONOURED.get(key);
  if (honoured) {
    honoured.read(draft, name, value);
    return;
  }
  if (lists.some((list) => list.key === key || list.readOption(key, name, value))) return;
  const option = key.startsWith(WITHOUT_NAMESPACE) && CHANNEL_VARIABLES.get(key.slice(WITHOUT_NAMESPACE.length));
  if (option) {
    option.read(draft.withoutNamespace, name, value);
    return;
  }
  const idle = WITHOUT_EFFECT.find(([pattern]) => pattern.test(key));
  if (idle) {
    parseValue(name, value, idle[1]);
    return;
  }
  if (NOT_THE_SERVERS.some((pattern) => pattern.test(key))) return;
  const allowed = DEFAULT_ONLY.get(key);
  if (allowed?.includes(value) || (allowed?.includes('false') && flag.parse(value) === false)) return;
  throw new BrokerConfigError(
    allowed
      ? `${name}: the embedded broker has only ${allowed.join(' or ')} here. For more run Centrifugo itself.`
      : `${name} is no option of the embedded broker. Check the spelling; if Centrifugo has it, run Centrifugo itself.`,
  );
}
