import { NO_PROGRESS } from '../src/cli/progress.ts';
import { createStyle } from '../src/cli/style.ts';
import type { Terminal } from '../src/cli/terminal.ts';

export interface RecordingTerminal extends Terminal {
  /** What was written to stdout and to stderr. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A terminal without colours that remembers what was written; a pipe, unless it is given a width. */
export function recordingTerminal(surroundings: Partial<Pick<Terminal, 'env' | 'cwd' | 'columns' | 'isWatched'>> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: RecordingTerminal = {
    env: { PATH: '' },
    cwd: '/nonexistent',
    columns: undefined,
    isWatched: false,
    ...surroundings,
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    style: createStyle(false, {}),
    progress: () => NO_PROGRESS,
    stdout: () => out.join('\n'),
    stderr: () => err.join('\n'),
  };
  return terminal;
}
