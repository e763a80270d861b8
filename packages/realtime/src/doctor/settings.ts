import { ConfigError } from '../core/errors.ts';
import { parseApiAddress, parseApiKey } from '../server/api-address.ts';

/** Environment variables, or what stands for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The four variables of the application, and under which names of the server the same values go. */
export const VARIABLES = {
  apiUrl: 'CENTRIFUGO_API_URL',
  apiKey: 'CENTRIFUGO_API_KEY',
  tokenSecret: 'CENTRIFUGO_TOKEN_SECRET',
  wsUrl: 'NEXT_PUBLIC_CENTRIFUGO_WS_URL',
} as const;
export type SettingName = keyof typeof VARIABLES;

const SHARED = {
  apiKey: 'CENTRIFUGO_HTTP_API_KEY',
  tokenSecret: 'CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY',
} as const;
/** What the server calls its half of a value. */
export const SERVER_VARIABLES: { readonly [Name in SettingName]?: string } & typeof SHARED = SHARED;

interface Settings {
  /** Without a trailing slash, with `/api`. */
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly tokenSecret: string;
  readonly wsUrl: URL;
}

const PARSERS: { readonly [Name in SettingName]: (value: string) => Settings[Name] } = {
  apiUrl: (value) => parseApiAddress(value, VARIABLES.apiUrl),
  apiKey: (value) => parseApiKey(value, VARIABLES.apiKey),
  tokenSecret: (value) => value,
  wsUrl: parseWebSocketAddress,
};

/**
 * One setting of the application.
 * @throws ConfigError (`invalid_config`), without the value
 */
export function readSetting<Name extends SettingName>(env: Environment, name: Name): Settings[Name] {
  const variable = VARIABLES[name];
  const value = env[variable];
  if (value === undefined) throw new ConfigError(`${variable} is not set.`);
  if (value.trim() === '') throw new ConfigError(`${variable} is empty.`);
  if (value !== value.trim()) throw new ConfigError(`${variable} has white space around its value.`);
  if (/^(["'`]).*\1$/s.test(value))
    throw new ConfigError(`${variable} is wrapped in quotes, and they are part of the value.`);
  return PARSERS[name](value);
}

function parseWebSocketAddress(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || (url.protocol !== 'ws:' && url.protocol !== 'wss:'))
    throw new ConfigError(`${VARIABLES.wsUrl} must be a ws or wss address.`);
  if (url.username || url.password || url.search || url.hash)
    throw new ConfigError(`${VARIABLES.wsUrl} must have no user info, query or fragment: every visitor can read it.`);
  return url;
}
