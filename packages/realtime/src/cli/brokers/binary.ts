import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { brokerEnvironment } from '../broker-settings.ts';
import { CliError } from '../cli-error.ts';
import { processIdentity } from '../process-identity.ts';
import type { Terminal } from '../terminal.ts';
import { startChild } from './child.ts';
import type { BrokerKind } from './running-broker.ts';

const STOP_GRACE_MS = 10_000;

/** A `centrifugo` executable of this machine. */
export const binary: BrokerKind = {
  async probe(env) {
    const found = findBinary(env);
    if (found)
      return { available: true, because: `found ${env.CENTRIFUGO_BIN ? 'CENTRIFUGO_BIN' : 'centrifugo on PATH'}` };
    return {
      available: false,
      because: env.CENTRIFUGO_BIN ? 'CENTRIFUGO_BIN names no executable file' : 'centrifugo is not on PATH',
    };
  },

  async start(settings, env) {
    const path = findBinary(env);
    if (!path) throw new CliError('start_failed', 'The centrifugo binary is gone.');
    const child = await startChild(path, [], brokerEnvironment(settings, env));
    const identity = processIdentity(child.pid);
    if (!identity) throw new CliError('start_failed', `Centrifugo ended at once: ${await child.ended}.`);
    return {
      owner: { kind: 'process', pid: child.pid, identity },
      ended: child.ended,
      stop: () => child.stop(STOP_GRACE_MS),
    };
  },
};

function findBinary(env: Terminal['env']): string | undefined {
  if (env.CENTRIFUGO_BIN) return isExecutable(env.CENTRIFUGO_BIN) ? env.CENTRIFUGO_BIN : undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'centrifugo')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
