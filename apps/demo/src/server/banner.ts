import type { Demo } from './demo.ts';

const isColourful = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (isColourful ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = paint(1);
const faint = paint(2);
const accent = paint(36);

export function printStarting(): void {
  write(`\n  ${bold('@op/realtime')} ${faint('demo')}\n`);
}

export function printReady(demo: Demo, wantedPort: number): void {
  const port = Number(new URL(demo.url).port);
  write(`
  ${accent('➜')}  ${bold(demo.url)}${wantedPort !== 0 && port !== wantedPort ? faint(`   (port ${wantedPort} is busy)`) : ''}

  Open it in two windows, as two people. Write in one, watch the other.

  ${faint(`database   ${demo.database}`)}
  ${faint(`broker     ${demo.broker}`)}
  ${faint('Ctrl-C ends it.')}

`);
}

/** One line that helps; the rest of an unforeseen error below it, fainter. */
export function printFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\n  The demo could not start: ${message}\n\n`);
}

function write(text: string): void {
  process.stdout.write(text);
}
