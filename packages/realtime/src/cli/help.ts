import type { CommandOption } from './arguments.ts';
import type { CommandEntry } from './command-table.ts';
import { labelled, wrap } from './layout.ts';
import type { Terminal } from './terminal.ts';

const HELP: CommandOption = { flags: '-h, --help', description: 'Show this' };

/** What `op-realtime --help` says. */
export function overview(commands: readonly CommandEntry[], terminal: Terminal): string {
  const { style } = terminal;
  return [
    `${style.bold('op-realtime')} <command> [options]`,
    '',
    style.bold('Commands'),
    ...table(
      commands.map((command) => [`${command.name} ${command.words ?? ''}`.trim(), command.summary]),
      terminal,
    ),
    '',
    style.dim('Options and examples of one: op-realtime <command> --help'),
  ].join('\n');
}

/** What `op-realtime <command> --help` says. */
export function helpOf(command: CommandEntry, terminal: Terminal): string {
  const { style } = terminal;
  const words = command.words ? ` ${command.words}` : '';
  return [
    `${style.bold(`op-realtime ${command.name}`)}${words} [options]`,
    '',
    ...wrap(command.summary, terminal.columns, 0),
    '',
    style.bold('Options'),
    ...table(
      [...command.options, HELP].map(({ flags, description }) => [flags, description]),
      terminal,
    ),
    '',
    style.bold('Examples'),
    ...command.examples.map((example) => `  op-realtime ${example}`),
  ].join('\n');
}

function table(rows: readonly (readonly [string, string])[], { columns, style }: Terminal): string[] {
  const labelWidth = Math.max(...rows.map(([label]) => label.length)) + 3;
  return rows.map(([label, text]) => labelled(`  ${label}`, text, { labelWidth, columns, paint: style.cyan }));
}
