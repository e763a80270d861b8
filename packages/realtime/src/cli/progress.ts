import type { Clock } from '../core/clock.ts';

/** Says that something is going on, where it takes long. */
export interface Progress {
  /** What is being done now. */
  step(text: string): void;
  /** Takes the line away, for other output. It comes back with the next step, or by itself. */
  clear(): void;
  /** Takes the line away for good. */
  stop(): void;
}

/** Less than this needs no explanation. */
const SILENT_MS = 1_000;
const FRAME_MS = 120;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const CLEAR_LINE = '\r\u001b[2K';

/** One line that rewrites itself, from the second second on. */
export function createProgress(
  terminal: { write(text: string): void; readonly columns: number },
  clock: Clock,
): Progress {
  let text = '';
  let frame = 0;
  let isShown = false;
  let cancel = clock.after(SILENT_MS, draw);
  function draw(): void {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${text}`;
    terminal.write(`${CLEAR_LINE}${line.slice(0, terminal.columns - 1)}`);
    isShown = true;
    cancel = clock.after(FRAME_MS, draw);
  }
  function clear(): void {
    if (isShown) terminal.write(CLEAR_LINE);
    isShown = false;
  }
  return {
    step(next) {
      text = next;
    },
    clear,
    stop() {
      cancel();
      clear();
    },
  };
}

/** For a pipe: nothing. */
export const NO_PROGRESS: Progress = { step() {}, clear() {}, stop() {} };
