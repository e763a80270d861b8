import { describe, expect, it } from 'vitest';
import { recordingTerminal } from '../../test/recording-terminal.ts';
import { COMMANDS } from './command-table.ts';
import { main } from './main.ts';

async function run(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await main(args, terminal);
  return { code, out: terminal.stdout(), err: terminal.stderr() };
}

describe('the command line', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('shows every command for %j', async (args) => {
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`${name} .*${summary.slice(0, 20)}`));
  });

  it.each(COMMANDS.map(({ name }) => name))(
    'shows the options and an example of %s and does not run it',
    async (name) => {
      const { code, out, err } = await run(name, '--help');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain(name === 'init' ? '--to <path>' : '--env-file <path>');
      expect(out).toContain(`\n  op-realtime ${name}`);
      expect(await run('help', name)).toEqual({ code: 0, out, err: '' });
      expect(await run(name, 'x', '-h')).toEqual({ code: 0, out, err: '' });
    },
  );

  it('fits into a narrow terminal', async () => {
    const terminal = recordingTerminal({ columns: 60 });
    for (const { name } of COMMANDS) await main([name, '--help'], terminal);
    await main([], terminal);
    const lines = terminal
      .stdout()
      .split('\n')
      .filter((line) => !line.startsWith('  op-realtime '));
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
  });

  it.each([
    ['an unknown command', ['bogus'], 'There is no command "bogus". Commands: init, dev, down'],
    ['a misspelt command', ['docter'], 'There is no command "docter". Did you mean "doctor"?'],
    ['a command cut short', ['doc'], 'Did you mean "doctor"?'],
    ['an unknown option', ['dev', '--bogus'], 'There is no option --bogus. More: --help'],
    ['a misspelt option', ['dev', '--detatch'], 'There is no option --detatch. Did you mean --detach?'],
    ['an option of one letter', ['dev', '-x'], 'There is no option -x.'],
    ['an option without its value', ['dev', '--engine'], '--engine needs a value: --engine <name>'],
    ['an option whose value is the next option', ['dev', '--engine', '--detach'], '--engine needs a value'],
    ['an option with an empty value', ['dev', '--engine='], '--engine needs a value'],
    ['a switch with a value', ['dev', '--detach=yes'], '--detach takes no value.'],
    ['a word too many', ['down', 'now'], '"now" is a word too many.'],
    ['a port that is none', ['down', '--port', 'x'], '--port must be a port between 1 and 65535, got "x".'],
    ['an option named like what every object has', ['dev', '--constructor'], 'There is no option --constructor.'],
  ])('answers %s with 2 and what is wrong', async (_, args, message) => {
    const { code, out, err } = await run(...args);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('answers a failure with 1 and no stack', async () => {
    const { code, err } = await run('dev');
    expect(err).toBe(
      'error There is no .env.test in this folder. Write one with op-realtime init, or name a file with --env-file.',
    );
    expect(code).toBe(1);
  });
});
