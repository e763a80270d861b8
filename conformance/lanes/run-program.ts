import { type ChildProcess, spawn } from 'node:child_process';
import { within } from '../clients/wire-client.ts';

const RUN_TIMEOUT_MS = 120_000;

/** Runs a program to its end, and gives what it printed; rejects with all of it where it fails. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string>; readonly timeoutMs?: number },
): Promise<string> {
  const child: ChildProcess = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args[0] ?? ''} ended with ${code}:\n${output}`)),
    );
  });
  try {
    await within(end, `the end of ${command}`, options.timeoutMs ?? RUN_TIMEOUT_MS);
  } finally {
    child.kill('SIGKILL');
  }
  return output;
}
