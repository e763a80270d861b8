import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A lane is a part of the test command that needs something which a bare machine may lack. A lane that cannot run says so in one loud line;
 * if `REALTIME_REQUIRED_LANES` (a comma list, set by `.ci/run`) names it, its absence fails the run, whether or not a test asks for it.
 */
export const LANES = {
  chromium: {
    needs: 'a Chromium (CHROMIUM_PATH, or chromium, chromium-browser or google-chrome on PATH)',
    find: () => findChromium(),
  },
  centrifugo: {
    needs: 'a real Centrifugo (CENTRIFUGO_TEST_URL, CENTRIFUGO_BIN, centrifugo on PATH, or a running Docker engine)',
    find: () =>
      process.env.CENTRIFUGO_TEST_URL || process.env.CENTRIFUGO_BIN || findCommand('centrifugo') || findDockerEngine(),
  },
  postgres: {
    needs: 'PostgreSQL (initdb and postgres on PATH or under /usr/lib/postgresql, or DATABASE_URL)',
    find: () => process.env.DATABASE_URL || findPostgres(),
  },
  redis: { needs: 'redis-server on PATH', find: () => findCommand('redis-server') },
  nginx: { needs: 'nginx on PATH or in /usr/sbin', find: () => findNginx() },
  compose: { needs: 'docker with its plugin compose (no engine)', find: () => findCompose() },
  go: { needs: 'a Go toolchain (1.25 or later) that can get the official client', find: () => findCommand('go') },
  python: { needs: 'Python 3.9 or later with venv, and its packages', find: () => findCommand('python3') },
} as const satisfies Record<string, { needs: string; find: () => string | undefined }>;
export type Lane = keyof typeof LANES;

export function requiredLanes(env: NodeJS.ProcessEnv = process.env): Lane[] {
  const names = (env.REALTIME_REQUIRED_LANES ?? '').split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '')
    .map((name) => {
      if (Object.hasOwn(LANES, name)) return name as Lane;
      throw new Error(
        `REALTIME_REQUIRED_LANES names the unknown lane "${name}". Known: ${Object.keys(LANES).join(', ')}.`,
      );
    });
}

/**
 * Whether the lane may run, given what was found for it. Prints one line where it may not, and throws where the lane is required.
 * @param found what serves the lane (a path, a URL), or nothing
 */
export function hasLane(lane: Lane, found: unknown = LANES[lane].find()): boolean {
  if (found) return true;
  const line = `lane ${lane} SKIPPED: needs ${LANES[lane].needs}`;
  if (requiredLanes().includes(lane)) throw new Error(`${line}, and REALTIME_REQUIRED_LANES requires it.`);
  process.stderr.write(`\n${line}\n`);
  return false;
}

/** The required lanes that this machine lacks, each with what it needs. */
export function missingLanes(env: NodeJS.ProcessEnv = process.env): string[] {
  return requiredLanes(env)
    .filter((lane) => !LANES[lane].find())
    .map((lane) => `lane ${lane} is required by REALTIME_REQUIRED_LANES and missing: needs ${LANES[lane].needs}`);
}

/** The first of these commands that is on PATH, as a path. */
export function findCommand(...names: string[]): string | undefined {
  for (const name of names)
    for (const folder of (process.env.PATH ?? '').split(delimiter))
      if (folder && existsSync(join(folder, name))) return join(folder, name);
  return undefined;
}

export function findChromium(): string | undefined {
  return process.env.CHROMIUM_PATH || findCommand('chromium', 'chromium-browser', 'google-chrome');
}

/** The folder that holds `initdb` and `postgres`: Debian keeps them off PATH, one folder per version. */
export function findPostgres(): string | undefined {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(base, version, 'bin')),
  ];
  return folders.find((folder) => folder && existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Debian keeps it off the PATH of users. */
export function findNginx(): string | undefined {
  return findCommand('nginx') ?? ['/usr/sbin/nginx'].find((path) => existsSync(path));
}

/** The docker command, where it has the plugin. */
function findCompose(): string | undefined {
  const docker = findCommand('docker');
  if (!docker) return undefined;
  try {
    execFileSync(docker, ['compose', 'version'], { stdio: 'ignore', timeout: 5_000 });
    return docker;
  } catch {
    return undefined;
  }
}

function findDockerEngine(): string | undefined {
  const docker = findCommand('docker');
  if (!docker) return undefined;
  try {
    execFileSync(docker, ['version', '--format', '{{.Server.Version}}'], { stdio: 'ignore', timeout: 5_000 });
    return docker;
  } catch {
    return undefined; // the command without an engine
  }
}
