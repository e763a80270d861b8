import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { processIdentity } from '../../packages/realtime/src/cli/process-identity.ts';
import { parseBrokerState } from '../../packages/realtime/src/cli/state-file.ts';
import { bundle } from '../../packages/realtime/test/bundle.ts';
import { freePort } from '../free-port.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const REALTIME = join(ROOT, 'packages/realtime');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What it wrote so far, both streams. */
  text(): string;
  readonly finished: Promise<Finished>;
  /** Resolves as soon as it wrote this; rejects, with all that it wrote, if it ends before. */
  wrote(text: string): Promise<void>;
}

/** What would outlive a run that is broken off with Ctrl-C: process groups, and brokers that were started detached. */
const groups = new Set<ChildProcess>();
const folders = new Set<string>();

/** A broker that is starting detached has its state file only a moment later. */
const STARTING_MS = 1_500;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const { pid } of groups) if (pid) killQuietly(-pid);
    killBrokers();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STARTING_MS);
    killBrokers();
    process.exit(1);
  });

function killBrokers(): void {
  for (const folder of folders)
    for (const name of readdirSync(folder).filter((file) => /^broker-\d+\.json$/.test(file))) {
      const owner = parseBrokerState(readFileSync(join(folder, name), 'utf8'))?.owner;
      if (owner?.kind === 'process' && processIdentity(owner.pid) === owner.identity) killQuietly(owner.pid);
    }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

/** Starts a program, with closed stdin unless asked otherwise, in a process group of its own, and collects what it writes. */
export function start(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; stdin?: 'ignore' | 'pipe' } = {},
): Running {
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  groups.add(child);
  child.once('close', () => groups.delete(child));
  let out = '';
  let err = '';
  const readers = new Set<() => void>();
  child.stdout?.on('data', (chunk) => {
    out += chunk;
    for (const reader of readers) reader();
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
    for (const reader of readers) reader();
  });
  const text = () => out + err;
  const finished = once(child, 'close').then(([code, signal]) => ({ code, signal, out, err }));
  return {
    child,
    text,
    finished,
    wrote(expected) {
      return new Promise((resolve, reject) => {
        const reader = () => {
          if (!text().includes(expected)) return;
          readers.delete(reader);
          resolve();
        };
        readers.add(reader);
        reader();
        finished.then(() => reject(new Error(`It ended without writing "${expected}". It wrote:\n${text()}`)), reject);
      });
    },
  };
}

let built: Promise<string> | undefined;

/** `op-realtime` as one file, of the source: compiling it for each start would cost half a second, and tests start it a hundred times. */
export function commandProgram(): Promise<string> {
  const packageUrl = pathToFileURL(`${REALTIME}/`);
  built ??= bundle(new URL('src/cli/bin.ts', packageUrl), packageUrl, { isWhole: true });
  return built;
}

/** A place for `op-realtime` of its own: a free port and a state folder, so that nothing meets a developer's own broker. */
export interface Sandbox {
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** `op-realtime <args> --port <its port>`. */
  command(name: string, ...args: string[]): Running;
  /** The same, waited for. */
  run(name: string, ...args: string[]): Promise<Finished>;
  healthy(): Promise<boolean>;
  /** Stops what still runs. */
  close(): Promise<void>;
}

export async function createSandbox(env: NodeJS.ProcessEnv = {}): Promise<Sandbox> {
  const folder = mkdtempSync(join(tmpdir(), 'op-realtime-test-'));
  folders.add(folder);
  const port = await freePort();
  const ownEnv: NodeJS.ProcessEnv = { ...process.env, ...env, OP_REALTIME_STATE_DIR: folder };
  delete ownEnv.FORCE_COLOR;
  const program = await commandProgram();
  const command = (name: string, ...args: string[]) =>
    start(process.execPath, [program, name, '--port', String(port), ...args], { cwd: REALTIME, env: ownEnv });
  const started: Running[] = [];
  return {
    port,
    env: ownEnv,
    folder,
    command(name, ...args) {
      const running = command(name, ...args);
      started.push(running);
      return running;
    },
    run: (name, ...args) => command(name, ...args).finished,
    healthy: async () => {
      try {
        return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
      } catch {
        return false;
      }
    },
    async close() {
      if (existsSync(join(folder, `broker-${port}.json`))) await command('down').finished;
      for (const { child, finished } of started) {
        if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, 'SIGKILL');
        await finished;
      }
      folders.delete(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
