import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { optionsFromEnv } from '../../packages/broker/src/index.ts';
import { parseArguments } from '../../packages/realtime/src/cli/arguments.ts';
import { COMMANDS } from '../../packages/realtime/src/cli/command-table.ts';
import { parseEnvFile } from '../../packages/realtime/src/cli/env-file.ts';
import { documents, filesOf, ROOT, readDocument, type Snippet, snippetIn, snippetsOf } from '../markdown.ts';
import { account } from './account.ts';
import { REASONS } from './reasons.ts';

const manifest = (folder: string) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
const root = manifest('.');
const { catalog } = parse(readDocument('pnpm-workspace.yaml')) as { catalog: Record<string, string> };
const folders = [
  'apps/demo',
  'benchmarks',
  'conformance',
  'examples/next',
  'examples/classic-hooks',
  'packages/realtime',
  'packages/broker',
];
const OURS = ['@op/realtime', '@op/realtime-broker'];

/** The words of a line, as a shell splits it: variables before the command, then command and arguments; a comment ends it. */
function split(line: string): { variables: Record<string, string>; words: string[] } {
  const all = [...line.matchAll(/(#.*)$|((?:[^\s'"#]|'[^']*'|"[^"]*")(?:[^\s'"]|'[^']*'|"[^"]*")*)/gm)]
    .filter(([, comment]) => comment === undefined)
    .map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, single = '', double = '') => single + double));
  const variables: Record<string, string> = {};
  while (/^[A-Z_]+=/.test(all[0] ?? '')) {
    const [name = '', ...value] = (all.shift() ?? '').split('=');
    variables[name] = value.join('=');
  }
  return { variables, words: all };
}

/** A command of `op-realtime`, read by its own table. @throws CliError */
function checkCommand([name, ...args]: readonly string[]): void {
  const command = COMMANDS.find((each) => each.name === name);
  expect(command, `op-realtime ${name}`).toBeDefined();
  parseArguments(args, command!.options, command!.words);
}

function checkPnpm(words: readonly string[]): void {
  const [first = '', ...rest] = words.filter((word) => word !== '--silent');
  if (first === 'w:realtime') checkCommand(rest);
  else if (first === '-r') expect(rest).toEqual(['build']);
  else if (first === 'exec') expect(Object.keys(root.devDependencies)).toContain(rest[0]);
  else if (first === '--filter') {
    const [name = '', script = ''] = rest;
    const found = folders.map(manifest).find((each) => each.name === name);
    expect(Object.keys(found?.scripts ?? {}), `scripts of ${name}`).toContain(script);
  } else expect(Object.keys(root.scripts), words.join(' ')).toContain(first === 'run' ? rest[0] : first);
}

function checkNpm(args: readonly string[]): void {
  if (['init -y', 'pkg set type=module'].includes(args.join(' '))) return;
  expect(args[0]).toBe('install');
  const names = args.slice(1).filter((word) => !['-D', '--save-dev'].includes(word));
  expect(names.length).toBeGreaterThan(0);
  const known = [...Object.keys(catalog), ...OURS];
  expect(
    names.filter((name) => !known.includes(name)),
    'packages without a version in the catalog',
  ).toEqual([]);
}

function checkNpx([name = '', ...args]: readonly string[], { document }: Snippet): void {
  if (name === '--yes') {
    expect(args[0]).toBe(root.packageManager);
    checkPnpm(args.slice(1));
  } else if (name === 'op-realtime') checkCommand(args);
  else if (name === 'op-realtime-broker') expect(args).toEqual([]);
  else {
    expect(['tsx', 'vite', 'next', 'vitest']).toContain(name);
    const installing = snippetsOf(document).filter(({ run }) => run?.step === 'install');
    const installed = installing.map(({ code }) => code).join('\n');
    expect(installed, `${document} installs what it runs`).toMatch(new RegExp(`^npm install.* ${name}\\b`, 'm'));
    if (name !== 'tsx') return;
    const written = /op-realtime init(?: --to (\S+))?$/m.exec(installed);
    expect(args[0]).toBe(`--env-file=${written?.[1] ?? '.env.test'}`);
    expect(Object.keys(filesOf(document))).toContain(args[1]);
  }
}

/** What every line of a page must be, for somebody who types it. */
function check(line: string, snippet: Snippet): void {
  const { variables, words } = split(line);
  const settings = Object.entries(variables).filter(([name]) => /^CENTRIFUGO_(?!TEST_)/.test(name));
  optionsFromEnv(Object.fromEntries(settings));
  const [command, ...args] = words;
  const exists = (name = '') => expect(existsSync(join(ROOT, dirname(snippet.document), name)), name).toBe(true);
  if (command === undefined) expect(settings.length).toBeGreaterThan(0);
  else if (command === 'pnpm') checkPnpm(args);
  else if (command === 'npm') checkNpm(args);
  else if (command === 'npx') checkNpx(args, snippet);
  else if (command === 'cp') exists(args[0]);
  else if (command === 'docker' && args[0] === 'compose') exists(args[2]);
  else if (command === 'docker') expect(args.at(-1)).toBe('centrifugo/centrifugo:v6');
  else if (command === 'curl') expect(args.at(-1)).toBe('http://localhost:3000/trpc/add');
  else expect(['kubectl', 'helm'], `"${command}" is a command that nothing here knows`).toContain(command);
}

const blocks = documents().flatMap(snippetsOf);
const linesOf = (code: string) =>
  code
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => line.split(' && '))
    .filter((line) => line.trim() !== '');

describe('lines for a shell', () => {
  const shells = blocks.filter(({ language }) => ['bash', 'sh'].includes(language));
  it('are there', () => expect(shells.length).toBeGreaterThan(30));
  it.for(shells)('$where name commands, options, files and packages that there are', (snippet, context) => {
    for (const line of linesOf(snippet.code)) check(line, snippet);
    account(context, 'checked', snippet);
  });

  it.each([
    ['pnpm w:realtime docter', 'docter'],
    ['npx op-realtime tail', '<channel> is missing'],
    ['npx op-realtime dev --detatch', 'Did you mean --detach'],
    ['npx --yes pnpm@1.0.0 test', 'pnpm@1.0.0'],
    ['pnpm demos', 'demos'],
    ['npm install left-pad', 'left-pad'],
    ['npx tsx --env-file=.env.test missing.ts', 'missing.ts'],
    ['CENTRIFUGO_RPC_PROXY_ENDPONT=http://localhost npx op-realtime-broker', 'CENTRIFUGO_RPC_PROXY_ENDPONT'],
    ['cp .env.exemple .env', '.env.exemple'],
    ['wget x', 'nothing here knows'],
  ])('would not let "%s" pass', (line, complaint) => {
    const snippet = snippetsOf('docs/recipes/hono.md')[0]!;
    expect(() => check(line, snippet)).toThrow(complaint);
  });
});

describe('settings', () => {
  it.for(blocks.filter(({ language }) => language === 'dotenv'))(
    '$where are known to the broker',
    (snippet, context) => {
      const own = parseEnvFile(readDocument('packages/realtime/.env.test'), '.env.test');
      const added = parseEnvFile(snippet.code, snippet.where);
      expect(added.size).toBeGreaterThan(0);
      optionsFromEnv(Object.fromEntries([...own, ...added]));
      account(context, 'checked', snippet);
    },
  );

  it.for(blocks.filter(({ language }) => ['yaml', 'json'].includes(language)))(
    '$where can be read',
    (snippet, context) => {
      expect(parse(snippet.code, { strict: true })).toBeTypeOf('object');
      account(context, 'checked', snippet);
    },
  );

  it('allow in docs/install.md what this workspace allows', () => {
    const printed = parse(snippetIn('docs/install.md', 'allowBuilds').code);
    const own = parse(readDocument('pnpm-workspace.yaml')).allowBuilds;
    expect(printed.allowBuilds).toEqual(own);
  });
});

it.each(REASONS)('a reason names what does exist: $document, "$starts"', ({ document, starts, reason }) => {
  expect(snippetsOf(document).some(({ code }) => code.startsWith(starts))).toBe(true);
  const paths = [...reason.matchAll(/(?:[\w.-]+\/)+[\w.-]+\.(?:test\.ts|ts|sh|md)/g)].map(([path]) => path);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  for (const [, script = ''] of reason.matchAll(/`pnpm ([\w:]+)/g)) expect(Object.keys(root.scripts)).toContain(script);
});
