import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The program that listens on a port, as `node (pid 4711)`; `undefined` where this user may not see it. */
export function portOwner(port: number): string | undefined {
  return process.platform === 'linux' ? fromProc(port) : fromLsof(port);
}

function fromProc(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeners(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name)))
    for (const descriptor of list(`/proc/${pid}/fd`))
      if (inodes.has(link(`/proc/${pid}/fd/${descriptor}`))) return `${read(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
  return undefined;
}

/** Columns of proc(5): 1 is the local address in hexadecimal, 3 the state (0A listens), 9 the socket's inode. */
function listeners(table: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = read(table)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(`:${hexPort}`) && row[3] === '0A').map((row) => `socket:[${row[9]}]`);
}

function fromLsof(port: number): string | undefined {
  try {
    const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 3_000,
    });
    const pid = /^p(\d+)$/m.exec(output)?.[1];
    const command = /^c(.+)$/m.exec(output)?.[1];
    return pid && command ? `${command} (pid ${pid})` : undefined;
  } catch {
    return undefined; // no lsof, or nothing that this user may see
  }
}

// Processes come and go, and other users' are closed to us: what cannot be read is not there.
const attempt = <T>(fn: () => T, otherwise: T): T => {
  try {
    return fn();
  } catch {
    return otherwise;
  }
};
const list = (path: string): string[] => attempt(() => readdirSync(path), []);
const read = (path: string): string => attempt(() => readFileSync(path, 'utf8'), '');
const link = (path: string): string => attempt(() => readlinkSync(path), '');
