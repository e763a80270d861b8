import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const MAX_LOG_CHARS = 200_000;

/** How to run a server: a command and its arguments, and the variables it gets besides PATH and HOME. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Answers 200 once the server is ready. */
  readonly healthUrl: string;
}

export interface Launched {
  readonly pid: number;
  logs(): string;
  /** Sends SIGTERM, after a grace SIGKILL, and resolves when the process has ended. */
  stop(): Promise<void>;
  /** Sends SIGKILL, and resolves when the process is gone. */
  kill(): Promise<void>;
}

// The shell holds our end of a pipe: when this process ends in whatever way, the pipe closes and the server is killed. `$0` is the command.
const GUARD = `exec 3<&0
"$0" "$@" </dev/null 3<&- &
server=$!
trap 'kill -TERM $server' TERM
(read -r _ <&3; kill -KILL $server) 2>/dev/null >/dev/null &
wait $server; status=$?
if [ $status -gt 128 ]; then wait $server; fi
exit $status`;

/** Starts a server, waits until it is healthy, and makes sure that it ends with this process. */
export async function launch({ command, args, variables, healthUrl }: Launch): Promise<Launched> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const child = spawn('/bin/sh', ['-c', GUARD, command, ...args], {
    cwd: folder, // no configuration file of anybody's
    env: { PATH: process.env.PATH, HOME: folder, ...variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-MAX_LOG_CHARS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => {}); // it may end before we do: its exit says so
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      child.stdin.destroy();
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
  });
  try {
    await healthy(healthUrl, exited, () => log);
  } catch (error) {
    child.kill('SIGTERM');
    child.stdin.destroy();
    throw error;
  }
  return { pid: child.pid!, logs: () => log, stop: () => stop(child, exited), kill: () => kill(child, exited) };
}

async function healthy(url: string, exited: Promise<number | null>, log: () => string): Promise<void> {
  const end: { code?: number | null } = {};
  void exited.then((code) => {
    end.code = code;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if ('code' in end) throw new Error(`the server ended with ${end.code} before it was healthy:\n${log()}`);
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > deadline) throw new Error(`the server was not healthy within ${START_TIMEOUT_MS} ms:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.stdin?.destroy(), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(kill);
}

async function kill(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.stdin?.destroy(); // what the guard waits for
  await exited;
}
