import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { DEFAULT_ENV_FILE } from '../broker-settings.ts';
import { CliError } from '../cli-error.ts';
import { errnoText } from '../errno.ts';
import { note } from '../note.ts';
import type { Terminal } from '../terminal.ts';

/** The package's own file: what a local broker and an application beside it need, with secrets that are good for nothing else. */
const TEMPLATE = new URL('../../../.env.test', import.meta.url);

/**
 * Writes the settings of a local broker and of the application. Never over a file that is there.
 * @throws CliError `env_file`
 */
export async function init({ to }: { to?: string | undefined }, terminal: Terminal): Promise<number> {
  const asked = to ?? DEFAULT_ENV_FILE;
  try {
    writeFileSync(resolve(terminal.cwd, asked), readFileSync(TEMPLATE), { flag: 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CliError(
      'env_file',
      exists
        ? `${asked} is there already; nothing was written.`
        : `Cannot write the env file ${asked}${errnoText(cause)}.`,
      { cause },
    );
  }
  terminal.out(`Wrote ${asked}`);
  const option = to === undefined ? '' : ` --env-file ${to}`;
  note(
    `A local broker reads it (op-realtime dev${option}), and so does your server: node --env-file=${basename(asked)}`,
    terminal,
  );
  return 0;
}
