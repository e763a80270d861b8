import type { CommandOption, ParsedArguments } from './arguments.ts';
import type { Terminal } from './terminal.ts';

/** One command of `op-realtime`. What it does is loaded when it is called, so that no command pays for another. */
export interface CommandEntry {
  readonly name: string;
  /** What has to stand behind it: `<channel> <json>`. @default nothing */
  readonly words?: string;
  readonly summary: string;
  readonly options: readonly CommandOption[];
  readonly examples: readonly string[];
  run(args: ParsedArguments, terminal: Terminal): Promise<number>;
}

const ENV_FILE: CommandOption = {
  flags: '--env-file <path>',
  description: 'File with the settings (default: .env.test in this folder)',
};
const APP_ENV_FILE: CommandOption = {
  flags: '--env-file <path>',
  description: 'File with the settings (default: the environment, else .env.test in this folder)',
};
const PORT: CommandOption = {
  flags: '--port <number>',
  description: 'Port (default: the one in the env file, else 8000)',
};

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'Write .env.test: the settings of a local broker and of your application',
    // Not `--env-file`: Node 20 reads that one itself, wherever it stands, and ends where the file is missing.
    options: [{ flags: '--to <path>', description: 'Write this file (default: .env.test in this folder)' }],
    examples: ['init', 'init --to .env.local'],
    async run({ values }, terminal) {
      const { init } = await import('./commands/init.ts');
      return init({ to: values.to }, terminal);
    },
  },
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
    async run({ values, switches }, terminal) {
      const { dev } = await import('./commands/dev.ts');
      const { engine, port, 'env-file': envFile } = values;
      return dev(
        {
          ...(engine !== undefined && { engine }),
          ...(port !== undefined && { port }),
          ...(envFile !== undefined && { envFile }),
          detach: switches.has('detach'),
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
    async run({ values }, terminal) {
      const { down } = await import('./commands/down.ts');
      const { port, 'env-file': envFile } = values;
      return down({ ...(port !== undefined && { port }), ...(envFile !== undefined && { envFile }) }, terminal);
    },
  },
  {
    name: 'doctor',
    summary: 'Examine the set-up: settings, server API, tokens, WebSocket, namespace, limits; each fault with its fix',
    options: [
      { flags: '--origin <origin>', description: "Where the application's pages are, such as https://app.example.com" },
      { flags: '--json', description: 'Print the findings as JSON' },
      { flags: '--strict', description: 'Exit with 1 also for warnings' },
      { flags: '--timeout <seconds>', description: 'For each question to the broker (default: 5)' },
      APP_ENV_FILE,
    ],
    examples: [
      'doctor',
      'doctor --env-file .env.production --origin https://app.example.com',
      'doctor --json --strict',
    ],
    async run({ values, switches }, terminal) {
      const { doctor } = await import('./commands/doctor.ts');
      const { origin, timeout, 'env-file': envFile } = values;
      return doctor({ origin, timeout, envFile, json: switches.has('json'), strict: switches.has('strict') }, terminal);
    },
  },
  {
    name: 'token',
    summary: 'Print a token for a user: of a connection, or with --channel of one channel',
    options: [
      { flags: '--user <id>', description: 'Whose token' },
      { flags: '--channel <name>', description: 'A channel token for this one' },
      { flags: '--ttl <time>', description: 'How long it lives: 600, 10m, 24h (default: 24h, with --channel 10m)' },
      APP_ENV_FILE,
    ],
    examples: ['token --user 123', 'token --user 123 --channel trpc:org:7 --ttl 1h'],
    async run({ values }, terminal) {
      const { token } = await import('./commands/token.ts');
      const { user, channel, ttl, 'env-file': envFile } = values;
      return token({ user, channel, ttl, envFile }, terminal);
    },
  },
  {
    name: 'publish',
    words: '<channel> <json>',
    summary: 'Publish a message to a channel',
    options: [{ flags: '--json', description: 'Print the result as JSON' }, APP_ENV_FILE],
    examples: [
      `publish trpc:global '{"type":"channel-invalidation"}'`,
      `publish trpc:user:123 '{"type":"query-invalidation","queryKey":["user","notifications"]}'`,
    ],
    async run({ values, switches, words: [channel = '', json = ''] }, terminal) {
      const { publish } = await import('./commands/publish.ts');
      return publish({ channel, json, isJson: switches.has('json'), envFile: values['env-file'] }, terminal);
    },
  },
  {
    name: 'tail',
    words: '<channel>',
    summary: 'Print what is published to a channel, as it comes; Ctrl-C ends it',
    options: [
      { flags: '--user <id>', description: 'Subscribe as this user (default: op-realtime-tail)' },
      { flags: '--json', description: 'One JSON object per line' },
      APP_ENV_FILE,
    ],
    examples: ['tail trpc:global', 'tail trpc:org:7 --json | jq .data'],
    async run({ values, switches, words: [channel = ''] }, terminal) {
      const [{ tail }, { stopSignal }] = await Promise.all([import('./commands/tail.ts'), import('./stop-signals.ts')]);
      const { user, 'env-file': envFile } = values;
      return tail({ channel, user, envFile, isJson: switches.has('json') }, terminal, stopSignal());
    },
  },
  {
    name: 'info',
    summary: "Show the broker's nodes: version, uptime, connections, users, channels",
    options: [{ flags: '--json', description: 'Print it as JSON' }, APP_ENV_FILE],
    examples: ['info', 'info --json'],
    async run({ values, switches }, terminal) {
      const { info } = await import('./commands/info.ts');
      return info({ isJson: switches.has('json'), envFile: values['env-file'] }, terminal);
    },
  },
];
