import { type ErrorCode, RealtimeError } from '../core/errors.ts';
import { parseArguments } from './arguments.ts';
import { CliError } from './cli-error.ts';
import { COMMANDS } from './command-table.ts';
import { helpOf, overview } from './help.ts';
import { labelled } from './layout.ts';
import { nearest } from './nearest.ts';
import type { Terminal } from './terminal.ts';

/** What the doctor finds the cause of. */
const EXAMINED: ReadonlySet<ErrorCode> = new Set([
  'invalid_config',
  'api_unavailable',
  'api_unauthorized',
  'timeout',
  'broker_error',
]);

/**
 * Runs one command line.
 * @param args what stands behind `op-realtime`
 * @returns the exit code: 0, 1 where something failed, 2 where the line makes no sense
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(args, terminal);
  } catch (error) {
    if (!(error instanceof CliError || error instanceof RealtimeError)) throw error;
    const { columns, style } = terminal;
    const hint = error instanceof RealtimeError && EXAMINED.has(error.code) ? ' What is wrong: op-realtime doctor' : '';
    terminal.err(labelled('error', `${error.message}${hint}`, { labelWidth: 5, columns, paint: style.red }));
    return error instanceof CliError ? error.exitCode : 1;
  }
}

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || isHelp(name)) {
    const asked = COMMANDS.find((command) => command.name === rest[0]);
    terminal.out(asked ? helpOf(asked, terminal) : overview(COMMANDS, terminal));
    return 0;
  }
  const command = COMMANDS.find((entry) => entry.name === name);
  if (!command) throw unknownCommand(name);
  if (rest.some((word) => word === '--help' || word === '-h')) {
    terminal.out(helpOf(command, terminal));
    return 0;
  }
  return command.run(parseArguments(rest, command.options, command.words), terminal);
}

const isHelp = (word: string): boolean => ['help', '--help', '-h'].includes(word);

function unknownCommand(word: string): CliError {
  const names = COMMANDS.map(({ name }) => name);
  const guess = nearest(word, names);
  const hint = guess ? `Did you mean "${guess}"?` : `Commands: ${names.join(', ')}.`;
  return new CliError('usage', `There is no command "${word}". ${hint} More: op-realtime --help`);
}
