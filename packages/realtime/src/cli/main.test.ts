import { describe, expect, it, vi } from 'vitest';
import { COMMANDS } from './command-table.ts';
import { main } from './main.ts';
import { createStyle, type Terminal } from './terminal.ts';

function run(...args: string[]) {
  const lines: string[] = [];
  const terminal: Terminal = {
    env: { PATH: '' },
    cwd: '/nonexistent',
    out: (line) => lines.push(line),
    err: (line) => lines.push(line),
    style: createStyle(false, {}),
  };
  const log = vi.spyOn(console, 'info').mockImplementation((text: unknown) => void lines.push(String(text)));
  return main(args, terminal)
    .then((code) => ({ code, text: lines.join('\n') }))
    .finally(() => log.mockRestore());
}

describe('the command line', () => {
  it.each([[[]], [['--help']], [['-h']]])('shows every command for %j', async (args) => {
    const { code, text } = await run(...args);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(text).toMatch(new RegExp(`${name} +${summary.slice(0, 20)}`));
  });

  it.each(COMMANDS.map(({ name }) => name))('shows the options of %s and does not run it', async (name) => {
    const { code, text } = await run(name, '--help');
    expect(code).toBe(0);
    expect(text).toContain('--env-file <path>');
  });

  it.each([
    ['an unknown command', ['bogus'], 'There is no command "bogus". Commands: dev, down.'],
    ['an unknown option', ['dev', '--bogus'], 'Unknown option'],
    ['an option without its value', ['dev', '--engine'], 'value is missing'],
    ['a word too many', ['down', 'now'], 'Unused args'],
    ['a port that is none', ['down', '--port', 'x'], '--port must be a port between 1 and 65535, got "x".'],
  ])('answers %s with 2 and what is wrong', async (_, args, message) => {
    const { code, text } = await run(...args);
    expect(text).toContain(message);
    expect(code).toBe(2);
  });

  it('answers a failure with 1 and no stack', async () => {
    const { code, text } = await run('dev');
    expect(text).toBe(
      "error There is no .env.test in this folder. Create one with Centrifugo's settings, or name a file with --env-file.",
    );
    expect(code).toBe(1);
  });
});
