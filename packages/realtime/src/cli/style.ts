/** What a style may know of its surroundings. */
type Env = Readonly<Record<string, string | undefined>>;

const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;

export type Style = Readonly<Record<keyof typeof SGR, (text: string) => string>>;

/**
 * Colours on a terminal, plain text elsewhere. `NO_COLOR` (no-color.org) turns them off, `FORCE_COLOR` on also in a pipe, unless it is `0` or
 * `false`; an empty variable counts as unset. `NO_COLOR` wins.
 */
export function createStyle(isTerminal: boolean, env: Env): Style {
  const isEnabled = hasColours(isTerminal, env);
  const paint = (name: keyof Style) => (text: string) =>
    isEnabled ? `\u001b[${SGR[name][0]}m${text}\u001b[${SGR[name][1]}m` : text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}

function hasColours(isTerminal: boolean, { NO_COLOR, FORCE_COLOR, TERM }: Env): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return !/^(?:0|false)$/i.test(FORCE_COLOR);
  return isTerminal && TERM !== 'dumb';
}
