import { systemClock } from '../core/clock.ts';
import { createProgress, NO_PROGRESS, type Progress } from './progress.ts';
import { createStyle, type Style } from './style.ts';

/** Where the command writes and what it may know of its surroundings; an argument, so tests can stand in for the terminal. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Writes one line of result. */
  out(line: string): void;
  /** Writes one line of complaint, or what a person wants to know beside the result. */
  err(line: string): void;
  /** How wide a line of result may be; `undefined` where it does not go to a terminal. */
  readonly columns: number | undefined;
  /** Whether a person reads what goes to `err`. */
  readonly isWatched: boolean;
  readonly style: Style;
  /** Shows on a terminal what is going on, from the second second on. The caller stops it. */
  progress(text: string): Progress;
}

/** Wider lines are hard to read. */
const MAX_COLUMNS = 120;

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  let progress = NO_PROGRESS;
  const columns = stdout.isTTY ? Math.min(stdout.columns || 80, MAX_COLUMNS) : undefined;
  return {
    env,
    cwd: process.cwd(),
    out: (line) => {
      progress.clear();
      stdout.write(`${line}\n`);
    },
    err: (line) => {
      progress.clear();
      stderr.write(`${line}\n`);
    },
    columns,
    isWatched: stderr.isTTY === true,
    style: createStyle(stdout.isTTY === true && stderr.isTTY === true, env),
    progress(text) {
      if (!stderr.isTTY || env.TERM === 'dumb') return NO_PROGRESS;
      progress.stop();
      progress = createProgress(
        { write: (part) => void stderr.write(part), columns: stderr.columns || 80 },
        systemClock,
      );
      progress.step(text);
      return progress;
    },
  };
}
