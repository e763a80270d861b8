import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { DEFAULT_ENV_FILE } from './broker-settings.ts';
import { CliError } from './cli-error.ts';
import { errnoText } from './errno.ts';
import type { Terminal } from './terminal.ts';

/** The application's variables, and where they came from. */
interface AppSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For people: `the environment`, `.env.test`. */
  readonly source: string;
}

const NAMES = ['CENTRIFUGO_API_URL', 'CENTRIFUGO_API_KEY', 'CENTRIFUGO_TOKEN_SECRET', 'NEXT_PUBLIC_CENTRIFUGO_WS_URL'];

/**
 * A named file; else the environment where it has any of the four variables; else `.env.test` of this folder. Never a mixture, which nobody
 * could tell apart. A file is read as applications read it, so quotes are no part of a value.
 * @throws CliError `env_file`
 */
export function readAppSettings(envFile: string | undefined, { env, cwd }: Terminal): AppSettings {
  if (envFile !== undefined) return readFile(resolve(cwd, envFile), envFile);
  if (NAMES.some((name) => env[name] !== undefined)) return { env, source: 'the environment' };
  const local = resolve(cwd, DEFAULT_ENV_FILE);
  return existsSync(local) ? readFile(local, DEFAULT_ENV_FILE) : { env, source: 'the environment' };
}

function readFile(path: string, asked: string): AppSettings {
  try {
    return { env: parseEnv(readFileSync(path, 'utf8')), source: basename(path) };
  } catch (cause) {
    throw new CliError('env_file', `Cannot read the env file ${asked}${errnoText(cause)}.`, { cause });
  }
}
