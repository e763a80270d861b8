import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { parseEnvFile } from './env-file.ts';
import { errnoText } from './errno.ts';

export const DEFAULT_ENV_FILE = '.env.test';
/** Where Centrifugo listens if nothing else is said. */
export const DEFAULT_PORT = 8000;

/** What a broker of `op-realtime dev` is started with: the env file, and at most another port. */
export interface BrokerSettings {
  /** Absolute path of the env file. */
  readonly envFile: string;
  /** Its name, for messages. */
  readonly envFileName: string;
  readonly env: ReadonlyMap<string, string>;
  /** The port on this machine. */
  readonly port: number;
  /** The port that the env file names, on which a container listens inside. */
  readonly filePort: number;
  /** Changes when any setting changes; tells whether a running broker was started with the same ones. */
  readonly fingerprint: string;
}

/** A port from an option or a file. @throws CliError `usage` or `env_file` */
export function parsePort(value: string, from: string, code: 'usage' | 'env_file' = 'usage'): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535)
    throw new CliError(code, `${from} must be a port between 1 and 65535, got "${value}".`);
  return port;
}

/**
 * @param options.port the `--port` option, which wins over the file
 * @throws CliError `env_file` where the file is missing or malformed
 */
export function readBrokerSettings(options: { cwd: string; envFile?: string; port?: string }): BrokerSettings {
  const envFile = resolve(options.cwd, options.envFile ?? DEFAULT_ENV_FILE);
  const envFileName = basename(envFile);
  const env = parseEnvFile(readText(envFile, options.envFile), envFileName);
  const inFile = env.get('CENTRIFUGO_HTTP_SERVER_PORT');
  const filePort = inFile
    ? parsePort(inFile, `CENTRIFUGO_HTTP_SERVER_PORT in ${envFileName}`, 'env_file')
    : DEFAULT_PORT;
  const port = options.port === undefined ? filePort : parsePort(options.port, '--port');
  if (env.get('CENTRIFUGO_HEALTH_ENABLED') !== 'true')
    throw new CliError(
      'env_file',
      `${envFileName} must say CENTRIFUGO_HEALTH_ENABLED=true: that is how "dev" sees that the broker is up.`,
    );
  return { envFile, envFileName, env, port, filePort, fingerprint: fingerprintOf(env, port) };
}

function fingerprintOf(env: ReadonlyMap<string, string>, port: number): string {
  const lines = [...env].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`);
  return createHash('sha256')
    .update([port, ...lines].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

function readText(path: string, asked: string | undefined): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError(
      'env_file',
      asked
        ? `Cannot read the env file ${asked}${errnoText(cause)}.`
        : `There is no ${DEFAULT_ENV_FILE} in this folder. Write one with op-realtime init, or name a file with --env-file.`,
      { cause },
    );
  }
}

/** The environment of a broker process: this one's without any Centrifugo setting, then the file's. Only the file configures the broker. */
export function brokerEnvironment(
  settings: BrokerSettings,
  ambient: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(ambient))
    if (value !== undefined && !name.startsWith('CENTRIFUGO_')) env[name] = value;
  // Keys and secrets of a local broker are public, so it listens to this machine only, unless the file says otherwise.
  env.CENTRIFUGO_HTTP_SERVER_ADDRESS = '127.0.0.1';
  for (const [name, value] of settings.env) env[name] = value;
  env.CENTRIFUGO_HTTP_SERVER_PORT = String(settings.port);
  return env;
}
