import { ConfigError } from '../../core/errors.ts';
import { isLoopback } from '../addresses.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import { type Environment, readSetting, SERVER_VARIABLES, type SettingName, VARIABLES } from '../settings.ts';

/** What HS256 wants of a key (RFC 7518, section 3.2). */
const MIN_SECRET_BYTES = 32;
/** Part of the values in `.env.test`, which everybody can read. */
const PUBLISHED = 'published-with-the-source';
/** Names that version 5 had; version 6 ignores them with a warning in its log. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY',
  CENTRIFUGO_API_INSECURE: 'CENTRIFUGO_HTTP_API_INSECURE',
  CENTRIFUGO_ALLOWED_ORIGINS: 'CENTRIFUGO_CLIENT_ALLOWED_ORIGINS',
  CENTRIFUGO_NAMESPACES: 'CENTRIFUGO_CHANNEL_NAMESPACES',
};

const EXAMPLES: Readonly<Record<SettingName, string>> = {
  apiUrl: "the address of Centrifugo's server API, like http://localhost:8000/api",
  apiKey: "the value of the server's CENTRIFUGO_HTTP_API_KEY",
  tokenSecret: "the value of the server's CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY",
  wsUrl: 'the address of the WebSocket endpoint, like wss://realtime.example.com/connection/websocket',
};

export const ENVIRONMENT_CHECKS: readonly Check[] = [
  {
    id: 'env.api-url',
    needs: [],
    run: ({ env }) => examine(env, 'apiUrl', (url) => ok(`CENTRIFUGO_API_URL leads to ${new URL(url).host}.`)),
  },
  {
    id: 'env.api-key',
    needs: [],
    run: ({ env }) => examine(env, 'apiKey', (value) => examineSecret(env, 'apiKey', value)),
  },
  {
    id: 'env.token-secret',
    needs: [],
    run: ({ env }) =>
      examine(env, 'tokenSecret', (value) => {
        const outcome = examineSecret(env, 'tokenSecret', value);
        const bytes = Buffer.byteLength(value);
        if (outcome.state !== 'ok' || bytes >= MIN_SECRET_BYTES) return outcome;
        return warning(
          `CENTRIFUGO_TOKEN_SECRET has ${bytes} bytes, and HS256 wants ${MIN_SECRET_BYTES}: a short one can be guessed from any token.`,
          'Make a new one, for example with `openssl rand -hex 32`, and give it to both sides (docs/server-api.md: changing the secret).',
        );
      }),
  },
  {
    id: 'env.ws-url',
    needs: [],
    run: ({ env, origin }) =>
      examine(env, 'wsUrl', (url) => {
        if (url.protocol === 'wss:' || isLoopback(url.hostname)) return ok(`${VARIABLES.wsUrl} leads to ${url.host}.`);
        const fix = `Put TLS in front of the broker and begin ${VARIABLES.wsUrl} with wss://.`;
        return origin?.startsWith('https:')
          ? failure('The pages come over https and the WebSocket address is ws: browsers refuse that.', fix)
          : warning(`${VARIABLES.wsUrl} is not encrypted: whoever is on the way reads the tokens.`, fix);
      }),
  },
  { id: 'env.agreement', needs: ['env.api-url', 'env.ws-url'], run: ({ env, origin }) => examineHosts(env, origin) },
  { id: 'env.broker', needs: [], run: ({ env }) => examineBrokerHalf(env) },
];

function examine<Name extends SettingName>(
  env: Environment,
  name: Name,
  further: (value: ReturnType<typeof readSetting<Name>>) => Outcome,
): Outcome {
  try {
    return further(readSetting(env, name));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const serverName = SERVER_VARIABLES[name];
    const half = serverName && env[serverName] && !env[VARIABLES[name]];
    return failure(
      half ? `${VARIABLES[name]} is not set; ${serverName} is, but that is what the server reads.` : error.message,
      `Set ${VARIABLES[name]} to ${EXAMPLES[name]}, without quotes or spaces around it.`,
    );
  }
}

function examineSecret(env: Environment, name: 'apiKey' | 'tokenSecret', value: string): Outcome {
  const mine = VARIABLES[name];
  const servers = SERVER_VARIABLES[name];
  const theirs = env[servers];
  if (theirs !== undefined && theirs !== value)
    return failure(
      `${mine} and ${servers} differ here.`,
      `Give both the same value: one is the application's name for it, the other the server's.`,
    );
  if (value.includes(PUBLISHED) && !isLocal(env))
    return failure(
      `${mine} is the value of .env.test, which everybody can read.`,
      `Make one of your own, for example with \`openssl rand -hex 32\`, and set it as ${mine} and as the server's ${servers}.`,
    );
  return ok(`${mine} is set.`);
}

/** Whether everything that is configured is on this machine. */
function isLocal(env: Environment): boolean {
  return [env[VARIABLES.apiUrl], env[VARIABLES.wsUrl]].every(
    (value) => value === undefined || !URL.canParse(value) || isLoopback(new URL(value).hostname),
  );
}

function examineHosts(env: Environment, origin: string | undefined): Outcome {
  const api = new URL(readSetting(env, 'apiUrl'));
  const ws = readSetting(env, 'wsUrl');
  const isAppElsewhere = origin !== undefined && URL.canParse(origin) && !isLoopback(new URL(origin).hostname);
  if (isLoopback(ws.hostname) && (isAppElsewhere || !isLoopback(api.hostname)))
    return failure(
      `${VARIABLES.wsUrl} leads to ${ws.hostname}, while ${isAppElsewhere ? 'the pages are' : 'the server API is'} elsewhere: every visitor's browser would ask its own machine.`,
      `Set ${VARIABLES.wsUrl} to the public address of the broker, and build the application again: the value is part of the bundle.`,
    );
  if (api.host === ws.host && api.protocol === 'https:' && ws.protocol === 'ws:')
    return failure(
      `${ws.host} is https in ${VARIABLES.apiUrl} and ws in ${VARIABLES.wsUrl}.`,
      `Begin ${VARIABLES.wsUrl} with wss://.`,
    );
  return ok(
    api.host === ws.host
      ? `Server API and WebSocket are on one host, ${api.host}.`
      : `The server API is on ${api.host}, the WebSocket on ${ws.host}.`,
  );
}

/** What can be seen of the server's own settings, where they stand beside the application's as in `.env.test`. */
function examineBrokerHalf(env: Environment): Outcome {
  for (const [old, current] of Object.entries(OLD_NAMES))
    if (env[old] !== undefined && env[current] === undefined)
      return failure(`${old} is a name of Centrifugo 5, which version 6 ignores.`, `Rename it to ${current}.`);
  const origins = env.CENTRIFUGO_CLIENT_ALLOWED_ORIGINS;
  if (origins !== undefined && /[,"'[\]]/.test(origins))
    return failure(
      'CENTRIFUGO_CLIENT_ALLOWED_ORIGINS is a list with commas, quotes or brackets: it matches no origin, and every browser gets HTTP 403.',
      'Separate the origins with spaces: https://a.example.com https://b.example.com',
    );
  const namespace = 'CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_';
  const size = env[`${namespace}HISTORY_SIZE`];
  const ttl = env[`${namespace}HISTORY_TTL`];
  if ((size === undefined) !== (ttl === undefined))
    return failure(
      `${namespace}HISTORY_${size === undefined ? 'SIZE' : 'TTL'} is missing: only both together keep a history.`,
      `Set ${namespace}HISTORY_SIZE=300 and ${namespace}HISTORY_TTL=10m.`,
    );
  if (ttl !== undefined && secondsOf(ttl) < 60)
    return warning(
      `${namespace}HISTORY_TTL is less than a minute: whoever was away for longer fetches everything again.`,
      `Set ${namespace}HISTORY_TTL=10m.`,
    );
  if (env.CENTRIFUGO_CLIENT_INSECURE === 'true')
    return failure(
      'CENTRIFUGO_CLIENT_INSECURE is on: the broker checks no permission at all.',
      'Remove CENTRIFUGO_CLIENT_INSECURE.',
    );
  const hasHalf = Object.keys(env).some((name) => /^CENTRIFUGO_(?:CLIENT|CHANNEL|HTTP)_/.test(name));
  return hasHalf
    ? ok('The settings of the broker that stand here fit.')
    : skipped('The settings of the broker are not here; what can be seen from outside is looked at below.');
}

/** Seconds of a duration as Go writes it (`10m`, `1h30m`); 0 for what is none. */
function secondsOf(duration: string): number {
  const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(duration)) return 0;
  return [...duration.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}
