import { execFile } from 'node:child_process';
import type { BrokerSettings } from '../broker-settings.ts';
import { CliError } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import { startChild } from './child.ts';
import type { BrokerKind } from './running-broker.ts';

const IMAGE = 'centrifugo/centrifugo:v6';
const PROBE_MS = 1_500;
const STOP_SECONDS = 10;

export const containerName = (port: number): string => `op-realtime-${port}`;

/** Only this machine reaches the port: the keys of a local broker are public. Inside, Centrifugo listens where the env file says. */
export function dockerRunArguments(settings: BrokerSettings): string[] {
  const { envFile, port, filePort } = settings;
  const published = `127.0.0.1:${port}:${filePort}`;
  return ['run', '--rm', '--name', containerName(port), '--env-file', envFile, '--publish', published, IMAGE];
}

/** The official container, configured by the very env file. */
export const docker: BrokerKind = {
  async probe(env) {
    const { code, stdout } = await run(env, PROBE_MS, 'version', '--format', '{{.Server.Version}}');
    if (code === 0) return { available: true, because: `Docker ${stdout.trim()} is running` };
    return { available: false, because: code === 'ENOENT' ? 'docker is not on PATH' : 'no Docker engine is running' };
  },

  async prepare(terminal) {
    const image = await run(terminal.env, 0, 'image', 'inspect', '--format', '{{.Id}}', IMAGE);
    if (image.code === 0) return;
    terminal.out(`Fetching ${IMAGE}; this happens once.`);
    const progress = terminal.progress('fetching');
    const pull = await run(terminal.env, 0, 'pull', '--quiet', IMAGE).finally(() => progress.stop());
    if (pull.code !== 0)
      throw new CliError(
        'start_failed',
        `Docker cannot fetch ${IMAGE} (${lastLine(pull.stderr) || 'no reason given'})`,
      );
  },

  async start(settings, env) {
    const name = containerName(settings.port);
    await run(env, 0, 'rm', '--force', name); // one that a crash left behind, stopped
    const child = await startChild('docker', dockerRunArguments(settings), { ...env });
    return {
      owner: { kind: 'container', name },
      ended: child.ended,
      async stop() {
        await stopContainer(name, env);
        await child.stop(STOP_SECONDS * 1_000);
      },
    };
  },
};

export async function isContainerRunning(name: string, env: Terminal['env']): Promise<boolean> {
  const { code, stdout } = await run(env, PROBE_MS, 'inspect', '--format', '{{.State.Running}}', name);
  return code === 0 && stdout.trim() === 'true';
}

/** Stops and removes it. `false` where there is no such container. */
export async function stopContainer(name: string, env: Terminal['env']): Promise<boolean> {
  const stopped = await run(env, 0, 'stop', '--time', String(STOP_SECONDS), name);
  await run(env, 0, 'rm', '--force', name);
  return stopped.code === 0;
}

interface Outcome {
  /** The exit code; `ENOENT` where there is no `docker`; `TIMEOUT` where it did not answer. */
  readonly code: number | 'ENOENT' | 'TIMEOUT';
  readonly stdout: string;
  readonly stderr: string;
}

function run(env: Terminal['env'], timeoutMs: number, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('docker', args, { env: { ...env }, timeout: timeoutMs }, (error, stdout, stderr) => {
      const code = !error ? 0 : error.killed ? 'TIMEOUT' : error.code === 'ENOENT' ? 'ENOENT' : Number(error.code) || 1;
      resolve({ code, stdout, stderr });
    });
  });
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
