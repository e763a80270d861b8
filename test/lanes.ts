import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A lane is a part of the test command that needs something which a bare machine may lack. A lane that cannot run says so in one loud line;
 * if `REALTIME_REQUIRED_LANES` (a comma list, set by `.ci/run`) names it, its absence fails the run.
 */
export const LANES = {
  chromium: 'a Chromium (CHROMIUM_PATH, or chromium, chromium-browser or google-chrome on PATH)',
  centrifugo: 'a real Centrifugo (CENTRIFUGO_TEST_URL, CENTRIFUGO_BIN, centrifugo on PATH, or a running Docker engine)',
  postgres: 'PostgreSQL (initdb and postgres on PATH or under /usr/lib/postgresql, or DATABASE_URL)',
  redis: 'redis-server on PATH',
  go: 'a Go toolchain (1.23 or later)',
  python: 'Python 3.9 or later with venv',
} as const;
export type Lane = keyof typeof LANES;

export function requiredLanes(env: NodeJS.ProcessEnv = process.env): Lane[] {
  const names = (env.REALTIME_REQUIRED_LANES ?? '').split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '')
    .map((name) => {
      if (name in LANES) return name as Lane;
      throw new Error(
        `REALTIME_REQUIRED_LANES names the unknown lane "${name}". Known: ${Object.keys(LANES).join(', ')}.`,
      );
    });
}

/**
 * Whether the lane may run, given what was found for it. Prints one line where it may not, and throws where the lane is required.
 * @param found what serves the lane (a path, a URL), or nothing
 */
export function hasLane(lane: Lane, found: unknown): boolean {
  if (found) return true;
  const line = `lane ${lane} SKIPPED: needs ${LANES[lane]}`;
  if (requiredLanes().includes(lane)) throw new Error(`${line}, and REALTIME_REQUIRED_LANES requires it.`);
  process.stderr.write(`\n${line}\n`);
  return false;
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
