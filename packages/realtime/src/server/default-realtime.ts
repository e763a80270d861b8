import { type RealtimeOptions, resolveParts, type SettingNames } from './config.ts';
import { buildRealtime } from './create-realtime.ts';
import type { Realtime } from './realtime.ts';

/** Where `realtime` is configured. Also the names in its errors. */
const VARIABLES: SettingNames = {
  apiUrl: 'CENTRIFUGO_API_URL',
  apiKey: 'CENTRIFUGO_API_KEY',
  tokenSecret: 'CENTRIFUGO_TOKEN_SECRET',
  tokenAudience: 'CENTRIFUGO_CLIENT_TOKEN_AUDIENCE',
  tokenIssuer: 'CENTRIFUGO_CLIENT_TOKEN_ISSUER',
};

/** Read at use, not at import. Each name is written out, so that bundlers for edge runtimes can put the value in its place. */
const environment: RealtimeOptions = {
  get apiUrl() {
    return read(() => process.env.CENTRIFUGO_API_URL);
  },
  get apiKey() {
    return read(() => process.env.CENTRIFUGO_API_KEY);
  },
  get tokenSecret() {
    return read(() => process.env.CENTRIFUGO_TOKEN_SECRET);
  },
  get tokenAudience() {
    return read(() => process.env.CENTRIFUGO_CLIENT_TOKEN_AUDIENCE) || undefined;
  },
  get tokenIssuer() {
    return read(() => process.env.CENTRIFUGO_CLIENT_TOKEN_ISSUER) || undefined;
  },
};

function read(variable: () => string | undefined): string | undefined {
  try {
    return variable();
  } catch {
    // A runtime without `process`: the variable is unset, and who needs it says so.
    return undefined;
  }
}

const KEY = Symbol.for('@op/realtime/server');

/**
 * The instance that the environment configures: `CENTRIFUGO_API_URL`, `CENTRIFUGO_API_KEY` and `CENTRIFUGO_TOKEN_SECRET`, and where they are set Centrifugo's own
 * `CENTRIFUGO_CLIENT_TOKEN_AUDIENCE` and `…_ISSUER`. Each is read when it is first needed; a missing or empty one rejects that call with a ConfigError
 * (`invalid_config`) that names it.
 */
export const realtime: Realtime = shared();

/**
 * Bundlers may load a module several times in one process (Next.js loads it three times). One queue per copy would lose the order of publishes and the sharing
 * of requests, so the instance lives beside the modules.
 */
function shared(): Realtime {
  const registry = globalThis as { [KEY]?: Realtime };
  registry[KEY] ??= buildRealtime(resolveParts(environment, VARIABLES));
  return registry[KEY];
}
