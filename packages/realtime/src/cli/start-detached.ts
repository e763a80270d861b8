import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { BrokerSettings } from './broker-settings.ts';
import { CliError } from './cli-error.ts';
import type { Engine } from './engine.ts';
import { isHealthy } from './port-probe.ts';
import { logPath } from './state-file.ts';
import type { Terminal } from './terminal.ts';

const POLL_MS = 20;
const LOG_TAIL_LINES = 15;

/**
 * Runs `dev` in a session of its own, with a log file for its output, and returns once the broker is healthy.
 * @throws CliError `start_failed`, with the end of the log
 */
export async function startDetached(start: {
  readonly engine: Engine;
  readonly settings: BrokerSettings;
  readonly folder: string;
  readonly terminal: Terminal;
  readonly healthyWithinMs: number;
}): Promise<void> {
  const { engine, settings, folder, terminal } = start;
  const path = logPath(folder, settings.port);
  const script = process.argv[1] ?? '';
  const args = ['dev', '--engine', engine, '--port', String(settings.port), '--env-file', settings.envFile];
  const log = openSync(path, 'w', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    cwd: terminal.cwd,
    env: { ...terminal.env },
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = signal ? `signal ${signal}` : `exit code ${code}`;
  });
  const deadline = Date.now() + start.healthyWithinMs;
  while (!(await isHealthy(settings.port))) {
    if (ended === undefined && Date.now() <= deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    child.kill('SIGTERM');
    const why = ended === undefined ? 'it did not become healthy in time' : `it ended with ${ended}`;
    const tail = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
    throw new CliError('start_failed', `The broker could not be started: ${why}. The end of its log:\n${tail}`);
  }
  child.unref();
  terminal.out(`${terminal.style.green('Ready.')} ${terminal.style.dim(`Log: ${path}`)}`);
}
