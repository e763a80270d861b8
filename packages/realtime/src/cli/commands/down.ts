import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { remember, stopOwner } from '../broker-owner.ts';
import { DEFAULT_ENV_FILE, DEFAULT_PORT, parsePort, readBrokerSettings } from '../broker-settings.ts';
import { containerName, isContainerRunning } from '../brokers/docker.ts';
import { ENGINE_TITLES } from '../engine.ts';
import { readState, removeState, stateFolder } from '../state-file.ts';
import type { Terminal } from '../terminal.ts';

interface DownOptions {
  readonly port?: string;
  readonly envFile?: string;
}

/** Stops the broker that `dev` started on this port, whichever it is. Says nothing where there is none. */
export async function down(options: DownOptions, terminal: Terminal): Promise<number> {
  const progress = terminal.progress('stopping');
  return stop(options, terminal).finally(() => progress.stop());
}

async function stop(options: DownOptions, terminal: Terminal): Promise<number> {
  const port = portOf(options, terminal);
  const folder = stateFolder(terminal.env);
  const state = readState(folder, port);
  if (state && (await remember(state, terminal.env)) === 'running') {
    await stopOwner(state.owner, terminal.env);
    terminal.out(`Stopped the ${ENGINE_TITLES[state.engine]} on port ${port}.`);
  } else if (await isContainerRunning(containerName(port), terminal.env)) {
    // The state file is lost, but a container carries its port in its name.
    await stopOwner({ kind: 'container', name: containerName(port) }, terminal.env);
    terminal.out(`Stopped the ${ENGINE_TITLES.docker} on port ${port}.`);
  }
  removeState(folder, port);
  return 0;
}

function portOf({ port, envFile }: DownOptions, { cwd }: Terminal): number {
  if (port !== undefined) return parsePort(port, '--port');
  if (envFile === undefined && !existsSync(resolve(cwd, DEFAULT_ENV_FILE))) return DEFAULT_PORT;
  return readBrokerSettings({ cwd, ...(envFile !== undefined && { envFile }) }).port;
}
