import { cac } from 'cac';
import { CliError } from './cli-error.ts';
import { COMMANDS } from './command-table.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command line.
 * @param args what stands behind `op-realtime`
 * @returns the exit code: 0, 1 where something failed, 2 where the line makes no sense
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(args, terminal);
  } catch (error) {
    if (error instanceof Error && (error instanceof CliError || error.name === 'CACError')) {
      terminal.err(`${terminal.style.red('error')} ${error.message}`);
      return error instanceof CliError ? error.exitCode : 2;
    }
    throw error;
  }
}

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const cli = cac('op-realtime');
  cli.usage('<command> [options]');
  cli.help((sections) => sections.filter((section) => !section.title?.startsWith('For more info')));
  for (const entry of COMMANDS) {
    const command = cli.command(entry.name, entry.summary);
    for (const { flags, description } of entry.options) command.option(flags, description);
    for (const example of entry.examples) command.example((name) => `  ${name} ${example}`);
    command.action((options: Record<string, unknown>) => entry.run(options, terminal));
  }
  cli.parse(['node', 'op-realtime', ...args], { run: false });
  if (cli.options.help) return 0;
  if (!cli.matchedCommand) {
    if (args.length === 0) {
      cli.outputHelp();
      return 0;
    }
    const names = COMMANDS.map(({ name }) => name).join(', ');
    throw new CliError(
      'usage',
      `There is no command "${cli.args[0] ?? args[0]}". Commands: ${names}. More: op-realtime --help`,
    );
  }
  const code: unknown = await cli.runMatchedCommand();
  return typeof code === 'number' ? code : 0;
}
