import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnvFile } from '../../packages/realtime/src/cli/env-file.ts';
import { REALTIME, type Running, type Sandbox, start } from './run-command.ts';

/** Scripts made of a document's snippets, in a folder from which they find `@op/realtime` and its peers by name; git-ignored. */
export interface ScriptFolder {
  /** Runs one from source, with the application's half of `.env.test` at the broker's port. Its stdin stays open. */
  run(name: string, broker: Sandbox, env?: NodeJS.ProcessEnv): Running;
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>;
}

export function createScriptFolder(files: Readonly<Record<string, string>>): ScriptFolder {
  const base = join(REALTIME, '.realtime');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'script-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const started: Running[] = [];
  return {
    run(name, broker, env = {}) {
      const all: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
      for (const [key, value] of applicationEnv())
        all[key] = value.replace('localhost:8000', `localhost:${broker.port}`);
      const args = ['--import', 'tsx', '--conditions=@op/source', join(folder, name)];
      const running = start(process.execPath, args, { cwd: REALTIME, env: all, stdin: 'pipe' });
      started.push(running);
      return running;
    },
    async close() {
      for (const { child, finished } of started) {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
        await finished;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The file that the broker and the application share. */
export const applicationEnv = (): Map<string, string> =>
  parseEnvFile(readFileSync(join(REALTIME, '.env.test'), 'utf8'), '.env.test');
