/** Where the broker is, and the secrets shared with it. */
export interface BrokerSettings {
  /** Base of the server API, for us. */
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly tokenSecret: string;
  /** Where browsers connect to. */
  readonly wsUrl: string;
}

const VARIABLES = {
  apiUrl: 'CENTRIFUGO_API_URL',
  apiKey: 'CENTRIFUGO_API_KEY',
  tokenSecret: 'CENTRIFUGO_TOKEN_SECRET',
  wsUrl: 'NEXT_PUBLIC_CENTRIFUGO_WS_URL',
} as const;

/**
 * The broker that the environment names, or nothing where it names none.
 * @throws Error that names the variables which are missing beside CENTRIFUGO_API_URL
 */
export function readBrokerSettings(env: NodeJS.ProcessEnv): BrokerSettings | undefined {
  if (!env[VARIABLES.apiUrl]) return undefined;
  const missing = Object.values(VARIABLES).filter((name) => !env[name]);
  if (missing.length > 0)
    throw new Error(
      `${VARIABLES.apiUrl} is set, so the demo uses that broker and also needs ${missing.join(' and ')}. Set them, or unset ${VARIABLES.apiUrl} for the demo's own broker.`,
    );
  return {
    apiUrl: env[VARIABLES.apiUrl]!,
    apiKey: env[VARIABLES.apiKey]!,
    tokenSecret: env[VARIABLES.tokenSecret]!,
    wsUrl: env[VARIABLES.wsUrl]!,
  };
}
