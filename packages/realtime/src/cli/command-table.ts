import type { Terminal } from './terminal.ts';

/** Options as the parser gives them: unchecked. */
export type ParsedOptions = Readonly<Record<string, unknown>>;

export interface CommandOption {
  /** As in the help: `--port <number>`. */
  readonly flags: string;
  readonly description: string;
}

/** One command of `op-realtime`. What it does is loaded when it is called, so that no command pays for another. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CommandOption[];
  readonly examples: readonly string[];
  run(options: ParsedOptions, terminal: Terminal): Promise<number>;
}

const ENV_FILE: CommandOption = {
  flags: '--env-file <path>',
  description: 'File with the settings (default: .env.test in this folder)',
};
const PORT: CommandOption = {
  flags: '--port <number>',
  description: 'Port (default: the one in the env file, else 8000)',
};

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'Start a local broker, configured by .env.test',
    options: [
      {
        flags: '--engine <name>',
        description: 'docker, binary or embedded (default: the first of these that this machine has)',
      },
      { flags: '--detach', description: 'Return as soon as the broker is healthy; "down" stops it' },
      PORT,
      ENV_FILE,
    ],
    examples: ['dev', 'dev --engine embedded', 'dev --detach'],
    async run(options, terminal) {
      const { dev } = await import('./commands/dev.ts');
      const { engine, port, envFile } = texts(options, 'engine', 'port', 'envFile');
      return dev(
        {
          ...(engine !== undefined && { engine }),
          ...(port !== undefined && { port }),
          ...(envFile !== undefined && { envFile }),
          detach: options.detach === true,
        },
        terminal,
      );
    },
  },
  {
    name: 'down',
    summary: 'Stop the broker that "dev" started; quiet where there is none',
    options: [PORT, ENV_FILE],
    examples: ['down'],
    async run(options, terminal) {
      const { down } = await import('./commands/down.ts');
      const { port, envFile } = texts(options, 'port', 'envFile');
      return down({ ...(port !== undefined && { port }), ...(envFile !== undefined && { envFile }) }, terminal);
    },
  },
];

/** The parser turns `8000` into a number and a repeated option into a list; the last one counts, as text. */
function texts<Name extends string>(options: ParsedOptions, ...names: Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value: unknown = Array.isArray(options[name]) ? options[name].at(-1) : options[name];
    if (typeof value === 'string' || typeof value === 'number') found[name] = String(value);
  }
  return found;
}
