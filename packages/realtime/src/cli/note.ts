import { wrap } from './layout.ts';
import type { Terminal } from './terminal.ts';

/** Tells a person what is going on, beside the result. */
export function note(text: string, { err, style, columns }: Terminal): void {
  for (const line of wrap(text, columns, 0)) err(style.dim(line));
}
