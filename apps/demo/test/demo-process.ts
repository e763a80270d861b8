import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

/** What `start` of the demo's package.json runs. */
export const START = ['node', '--conditions=@op/source', '--import', 'tsx', 'apps/demo/src/server/main.ts'];

/** For hooks and tests that start one: seconds when the machine is idle, many more when it is not. */
export const START_PATIENCE = { timeout: 120_000 };

export interface DemoProcess {
  /** The address that it printed. */
  readonly url: string;
  /** All that it printed so far. */
  readonly output: () => string;
  /** The process that was started, which leads the process group. */
  readonly pid: number;
  /** Sends a signal to the whole group, as Ctrl-C does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Whether anything that descends from it is left. */
  readonly isAlive: () => boolean;
  /** Ends whatever is left of it; for `afterAll`. */
  stop(): Promise<void>;
}

/** Inherited by all that descends from a demo, whatever group or parent it has by then. */
const MARK = 'OP_DEMO_TEST_RUN';

/** Starts the demo in a process group of its own and waits for the address that it prints. */
export async function startDemoProcess(
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = START,
): Promise<DemoProcess> {
  const mark = randomUUID();
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutBroker(process.env), PORT: '0', [MARK]: mark, ...env },
  });
  const pid = child.pid!;
  let text = '';
  const isAlive = () => processesMarked(mark, pid).length > 0;
  const signalGroup = (signal: NodeJS.Signals) => send(-pid, signal);
  const killAll = () => {
    for (const left of processesMarked(mark, pid)) send(left, 'SIGKILL');
  };
  process.once('exit', killAll);
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      const [address] = /http:\/\/localhost:\d+/.exec(text) ?? [];
      if (address) resolve(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('close', (code) =>
      reject(new Error(`The demo ended before it was ready (exit code ${code}):\n${text}`)),
    );
  });
  return {
    url,
    pid,
    output: () => text,
    signalGroup,
    isAlive,
    async stop() {
      process.off('exit', killAll);
      signalGroup('SIGTERM');
      const patience = Date.now() + 5_000;
      while (isAlive() && Date.now() < patience) await new Promise((resolve) => setTimeout(resolve, 25));
      killAll();
    },
  };
}

/** The demo under test uses its own broker and database, whatever the shell says. */
function withoutBroker(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(?:CENTRIFUGO_|NEXT_PUBLIC_CENTRIFUGO_|DATABASE_URL$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}

/** The processes that carry the mark; without `/proc` only the group's leader is known. */
function processesMarked(mark: string, leader: number): number[] {
  if (process.platform !== 'linux') return send(-leader, 0) ? [-leader] : [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'latin1').includes(`${MARK}=${mark}`);
      } catch {
        return false; // ended meanwhile, or somebody else's
      }
    })
    .map(Number);
}

/** @returns whether there was anybody to receive it */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
