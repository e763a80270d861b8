import { type ChildProcess, spawn } from 'node:child_process';
import { CliError } from '../cli-error.ts';

interface Child {
  readonly pid: number;
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL where that was not enough after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Starts a program that shares this process's output and does not read its input. @throws CliError `start_failed` */
export async function startChild(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Child> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = endOf(child);
  const pid = child.pid;
  if (pid === undefined) throw new CliError('start_failed', `${command} cannot be run: ${await ended}.`);
  return {
    pid,
    ended,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(killer);
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });
}
