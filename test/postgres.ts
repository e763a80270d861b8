import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { findCommand } from './lanes.ts';

const run = promisify(execFile);

/** Debian keeps the server's programs off PATH, one folder per major version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

const START_PATIENCE_MS = 90_000;

/** The folder with `initdb` and `postgres`, the newest if there are several; nothing where PostgreSQL is not installed. */
export function findPostgres(): string | undefined {
  const onPath = findCommand('initdb');
  if (onPath && existsSync(join(dirname(onPath), 'postgres'))) return dirname(onPath);
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

export interface PostgresCluster {
  /** `postgres://postgres@127.0.0.1:<port>/postgres` */
  readonly url: string;
  /** Ends the server and removes its files. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings of the server, such as `{ wal_level: 'logical' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts a throw-away cluster on a free port of the loopback interface. PostgreSQL refuses to run as root, so root starts it as another user.
 * @param folder what `findPostgres` returned
 */
export async function startPostgres(folder: string, { settings = {} }: PostgresOptions = {}): Promise<PostgresCluster> {
  const data = mkdtempSync(join(tmpdir(), 'op-postgres-'));
  const user = unprivilegedUser();
  if (user) chownSync(data, user.uid, user.gid);
  const as = { cwd: '/', ...user };
  const removeFiles = () => rmSync(data, { recursive: true, force: true });
  try {
    await run(
      join(folder, 'initdb'),
      ['--no-sync', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', data],
      as,
    );
    const port = await freePort();
    const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', ...settings };
    const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(folder, 'postgres'), ['-D', data, '-p', String(port), ...options], {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const killAtExit = () => server.kill('SIGQUIT');
    process.once('exit', killAtExit);
    const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    await untilReady(server);
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async close() {
        server.kill('SIGINT'); // fast shutdown: ends open connections
        await exited;
        process.off('exit', killAtExit);
        removeFiles();
      },
    };
  } catch (error) {
    removeFiles();
    throw error;
  }
}

function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].flatMap((name) => users.filter((user) => user[0] === name))[0];
  if (!found) throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody.');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

function untilReady(server: ChildProcess): Promise<void> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      server.kill('SIGQUIT');
      reject(new Error(`PostgreSQL ${why}:\n${lines.slice(-10).join('\n')}`));
    };
    const timer = setTimeout(() => fail(`is not ready after ${START_PATIENCE_MS} ms`), START_PATIENCE_MS);
    server.once('error', (error) => fail(`could not be started (${error.message})`));
    server.once('exit', (code) => fail(`ended with exit code ${code}`));
    createInterface({ input: server.stderr! }).on('line', (line) => {
      lines.push(line);
      if (!line.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}
