import { LOOPBACK } from '../listen.ts';

export interface BrokerSecrets {
  readonly apiKey: string;
  readonly tokenSecret: string;
}

/** The demo's own broker under Centrifugo's names: the same lines would configure a real one. */
export function brokerEnvironment(
  env: NodeJS.ProcessEnv,
  port: number,
  origins: readonly string[],
  secrets: BrokerSecrets,
): NodeJS.ProcessEnv {
  // What the shell says about some other Centrifugo must not reach ours.
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CENTRIFUGO_')));
  return {
    ...inherited,
    CENTRIFUGO_HTTP_SERVER_ADDRESS: LOOPBACK,
    CENTRIFUGO_HTTP_SERVER_PORT: String(port),
    CENTRIFUGO_HTTP_API_KEY: secrets.apiKey,
    CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: secrets.tokenSecret,
    CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: origins.join(' '),
    CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
    CENTRIFUGO_LOG_LEVEL: 'error',
  };
}
