/** Where the command writes and what it may know of its surroundings; an argument, so tests can stand in for the terminal. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Writes one line of result. */
  out(line: string): void;
  /** Writes one line of complaint. */
  err(line: string): void;
  readonly style: Style;
}

export type Style = Record<'bold' | 'dim' | 'red' | 'green', (text: string) => string>;

const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39] } as const;

/** Colours on a terminal, plain text elsewhere; `NO_COLOR` (no-color.org) turns them off. */
export function createStyle(isTerminal: boolean, env: Terminal['env']): Style {
  const enabled = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (name: keyof Style) => (text: string) =>
    enabled ? `\u001b[${SGR[name][0]}m${text}\u001b[${SGR[name][1]}m` : text;
  return { bold: paint('bold'), dim: paint('dim'), red: paint('red'), green: paint('green') };
}

export function processTerminal(): Terminal {
  return {
    env: process.env,
    cwd: process.cwd(),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    style: createStyle(process.stdout.isTTY === true && process.stderr.isTTY === true, process.env),
  };
}
