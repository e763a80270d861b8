import type { ChannelOptions } from '../core/channel-options.ts';
import { BrokerConfigError } from '../core/errors.ts';
import type { BrokerOptions } from '../core/options.ts';
import {
  CHANNEL_VARIABLES,
  DEFAULT_ONLY,
  type Draft,
  HONOURED,
  NOT_THE_SERVERS,
  WITHOUT_EFFECT,
} from './env-options.ts';

const PREFIX = 'CENTRIFUGO_';
const NAMESPACES = 'CHANNEL_NAMESPACES';
const WITHOUT_NAMESPACE = 'CHANNEL_WITHOUT_NAMESPACE_';

type Environment = Readonly<Record<string, string | undefined>>;
type MutableChannelOptions = { -readonly [K in keyof ChannelOptions]: ChannelOptions[K] };

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
  const namespaces = readNamespaces(env[PREFIX + NAMESPACES] ?? '');
  for (const [name, value] of Object.entries(env))
    if (name.startsWith(PREFIX) && value) readVariable(draft, namespaces, name, value);
  const { token, subscriptionToken, personalChannel, withoutNamespace, client, channel, ...rest } = draft;
  const { enabled, ...separate } = subscriptionToken;
  return {
    ...rest,
    client: {
      ...client,
      token,
      ...(enabled ? { subscriptionToken: separate } : {}),
      subscribeToUserPersonalChannel: personalChannel,
    },
    channel: { ...channel, withoutNamespace, namespaces: Object.fromEntries(namespaces) },
  };
}

function readVariable(draft: Draft, namespaces: Map<string, MutableChannelOptions>, name: string, value: string): void {
  const key = name.slice(PREFIX.length);
  const honoured = HONOURED.get(key);
  if (honoured) {
    honoured.read(draft, name, value);
    return;
  }
  if (key === NAMESPACES) return;
  const target = channelTarget(draft, namespaces, key);
  if (target) {
    target.variable.read(target.options, name, value);
    return;
  }
  if ([...WITHOUT_EFFECT, ...NOT_THE_SERVERS].some((pattern) => pattern.test(key))) return;
  const allowed = DEFAULT_ONLY.get(key);
  if (allowed?.includes(value)) return;
  throw new BrokerConfigError(
    allowed
      ? `${name}: the embedded broker has only ${allowed.join(' or ')} here. For more run Centrifugo itself.`
      : `${name} is no option of the embedded broker. Check the spelling; if Centrifugo has it, run Centrifugo itself.`,
  );
}

/** The options that a variable of a namespace belongs to. */
function channelTarget(draft: Draft, namespaces: Map<string, MutableChannelOptions>, key: string) {
  const groups: [string, MutableChannelOptions][] = [[WITHOUT_NAMESPACE, draft.withoutNamespace]];
  for (const [name, options] of namespaces)
    groups.push([`${NAMESPACES}_${name.replaceAll(/[.-]/g, '_').toUpperCase()}_`, options]);
  for (const [prefix, options] of groups) {
    const variable = key.startsWith(prefix) ? CHANNEL_VARIABLES.get(key.slice(prefix.length)) : undefined;
    if (variable) return { variable, options };
  }
  return undefined;
}

/** Namespaces as a list of names separated by spaces, or as a JSON list of objects with a name and options. */
function readNamespaces(value: string): Map<string, MutableChannelOptions> {
  const namespaces = new Map<string, MutableChannelOptions>();
  if (value === '') return namespaces;
  const add = (name: string) => {
    if (namespaces.has(name)) throw new BrokerConfigError(`${PREFIX}${NAMESPACES}: ${name} is there twice.`);
    const options: MutableChannelOptions = {};
    namespaces.set(name, options);
    return options;
  };
  if (value.startsWith('[') && value.endsWith(']')) for (const item of parseList(value)) readNamespace(item, add);
  else for (const name of value.split(' ')) add(name);
  return namespaces;
}

function parseList(value: string): readonly unknown[] {
  try {
    return JSON.parse(value) as unknown[];
  } catch (cause) {
    throw new BrokerConfigError(`${PREFIX}${NAMESPACES} is not JSON.`, { cause });
  }
}

function readNamespace(item: unknown, add: (name: string) => MutableChannelOptions): void {
  const where = `${PREFIX}${NAMESPACES}`;
  if (typeof item !== 'object' || item === null || !('name' in item) || typeof item.name !== 'string')
    throw new BrokerConfigError(`${where}: every namespace needs a "name".`);
  const options = add(item.name);
  for (const [key, value] of Object.entries(item)) {
    if (key === 'name') continue;
    const variable = CHANNEL_VARIABLES.get(key.toUpperCase());
    const path = `${where}: ${item.name}.${key}`;
    if (!variable) throw new BrokerConfigError(`${path} is no option of the embedded broker.`);
    if (typeof value !== variable.parser.jsonType)
      throw new BrokerConfigError(`${path} must be ${variable.parser.expected}.`);
    if (value !== '') variable.read(options, path, String(value));
  }
}
