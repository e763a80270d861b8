import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { targetEnvironment } from './settings.ts';

export const TARGETS = ['embedded', 'forwarder', 'centrifugo'] as const;
export type TargetName = (typeof TARGETS)[number];

/** A server under load, in a process of its own. */
export interface RunningTarget {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const BROKER = fileURLToPath(new URL('../../../packages/broker/dist/bin.js', import.meta.url));
const FORWARDER = fileURLToPath(new URL('./forwarder.ts', import.meta.url));

function commandOf(name: TargetName): [string, string[]] {
  if (name === 'centrifugo') return [process.env.CENTRIFUGO_BIN!, []];
  if (name === 'embedded') return [process.execPath, [BROKER]];
  return [process.execPath, ['--import', 'tsx', FORWARDER]];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a fresh server and waits until it is healthy. */
export async function startTarget(name: TargetName): Promise<RunningTarget> {
  const port = await freePort();
  const [command, args] = commandOf(name);
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...targetEnvironment(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const health = `http://127.0.0.1:${port}/health`;
  const end = performance.now() + 20_000;
  while (
    !(await fetch(health)
      .then((response) => response.ok)
      .catch(() => false))
  ) {
    if (child.exitCode !== null || performance.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`target ${name} did not become healthy`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, pid: child.pid!, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function packageVersion(manifest: string): string {
  const { version } = JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')) as { version: string };
  return version;
}

/** What the version line of a report says. */
export function versionOf(name: TargetName): string {
  if (name === 'embedded') return `@op/realtime-broker ${packageVersion('../../../packages/broker/package.json')}`;
  if (name === 'forwarder') return `ws ${packageVersion('../../node_modules/ws/package.json')}`;
  return execFileSync(process.env.CENTRIFUGO_BIN!, ['version'], { encoding: 'utf8' }).trim();
}
