import { isContainerRunning, stopContainer } from './brokers/docker.ts';
import { CliError } from './cli-error.ts';
import { processIdentity } from './process-identity.ts';
import type { Remembered } from './start-decision.ts';
import type { BrokerOwner, BrokerState } from './state-file.ts';
import type { Terminal } from './terminal.ts';

const STOP_GRACE_MS = 10_000;
const KILL_GRACE_MS = 2_000;
const POLL_MS = 20;

/** Whether the broker of a state file still runs. A process counts only if it is the very one, not a later one of the same number. */
export async function remember(state: BrokerState | undefined, env: Terminal['env']): Promise<Remembered> {
  if (!state) return 'nothing';
  return (await isRunning(state.owner, env)) ? 'running' : 'gone';
}

async function isRunning(owner: BrokerOwner, env: Terminal['env']): Promise<boolean> {
  if (owner.kind === 'container') return isContainerRunning(owner.name, env);
  return processIdentity(owner.pid) === owner.identity;
}

/** Stops it and waits until it is gone. @throws CliError `stop_failed` */
export async function stopOwner(owner: BrokerOwner, env: Terminal['env']): Promise<void> {
  if (owner.kind === 'container') {
    await stopContainer(owner.name, env);
    if (await isContainerRunning(owner.name, env))
      throw new CliError('stop_failed', `Docker cannot stop the container ${owner.name}.`);
    return;
  }
  for (const [signal, graceMs] of [
    ['SIGTERM', STOP_GRACE_MS],
    ['SIGKILL', KILL_GRACE_MS],
  ] as const) {
    if (!(await isRunning(owner, env))) return;
    try {
      process.kill(owner.pid, signal);
    } catch (cause) {
      if (await isRunning(owner, env))
        throw new CliError('stop_failed', `Process ${owner.pid} cannot be stopped. Does it belong to another user?`, {
          cause,
        });
      return;
    }
    if (await isGoneWithin(owner, env, graceMs)) return;
  }
  throw new CliError('stop_failed', `Process ${owner.pid} does not end, not even when it is killed.`);
}

async function isGoneWithin(owner: BrokerOwner, env: Terminal['env'], graceMs: number): Promise<boolean> {
  const deadline = Date.now() + graceMs;
  while (await isRunning(owner, env)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
