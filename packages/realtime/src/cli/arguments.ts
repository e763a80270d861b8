import { parseArgs } from 'node:util';
import { CliError } from './cli-error.ts';
import { nearest } from './nearest.ts';

/** An option of a command, as in its help. */
export interface CommandOption {
  /** `--port <number>`, or `--json` for a switch. */
  readonly flags: string;
  readonly description: string;
}

/** What a command line said. Values are text, just as they were typed: an id such as `007` or one of twenty digits is not a number. */
export interface ParsedArguments {
  /** Options with a value by name (`env-file`); the last one counts. */
  readonly values: Readonly<Record<string, string>>;
  readonly switches: ReadonlySet<string>;
  /** What belongs to no option. */
  readonly words: readonly string[];
}

const nameOf = ({ flags }: CommandOption): string => (flags.split(' ')[0] ?? '').replace(/^--/, '');
const takesValue = ({ flags }: CommandOption): boolean => flags.includes('<');

/**
 * Reads what stands behind a command's name.
 * @param words the command's own, such as `<channel> <json>`
 * @throws CliError `usage`
 */
export function parseArguments(
  args: readonly string[],
  options: readonly CommandOption[],
  words = '',
): ParsedArguments {
  const config = Object.fromEntries(
    options.map((option) => [nameOf(option), { type: takesValue(option) ? 'string' : 'boolean' } as const]),
  );
  const { tokens } = parseArgs({ args: [...args], options: config, strict: false, tokens: true });
  const values: Record<string, string> = {};
  const switches = new Set<string>();
  const found: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') found.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options.find((one) => nameOf(one) === token.name && token.rawName.startsWith('--'));
    if (!option) throw unknownOption(token.rawName, options);
    if (!takesValue(option)) {
      if (token.value !== undefined) throw new CliError('usage', `${token.rawName} takes no value.`);
      switches.add(token.name);
    } else if (token.value === undefined || token.value === '' || (!token.inlineValue && /^--?[a-z]/.test(token.value)))
      throw new CliError('usage', `${token.rawName} needs a value: ${option.flags}`);
    else values[token.name] = token.value;
  }
  const wanted = words.split(' ').filter((word) => word !== '');
  const missing = wanted[found.length];
  if (missing !== undefined) throw new CliError('usage', `${missing} is missing. More: --help`);
  if (found.length > wanted.length)
    throw new CliError('usage', `"${found[wanted.length]}" is a word too many. More: --help`);
  return { values, switches, words: found };
}

function unknownOption(name: string, options: readonly CommandOption[]): CliError {
  const known = options.map((option) => `--${nameOf(option)}`);
  const guess = nearest(name, known);
  return new CliError('usage', `There is no option ${name}.${guess ? ` Did you mean ${guess}?` : ''} More: --help`);
}
