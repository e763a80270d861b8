import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { filesOf, snippetIn, snippetsOf } from '../markdown.ts';
import { npmSettings, type PackageManager, type Packed, registry } from './empty-project.ts';
import { Shell } from './shell.ts';
import { launch, tryInTwoWindows } from './two-windows.ts';

/** Pages of `docs/recipes/` that start from an empty folder. */
export const RECIPES = [
  ...['hono', 'express', 'fastify', 'node', 'edge'],
  ...['custom-channels', 'own-events', 'presence', 'testing'],
  ...['vite', 'nextjs'],
];

/** The windows of those whose change is seen in a page. */
const WINDOWS: Readonly<Record<string, readonly [string, string]>> = {
  vite: ['/?user=mei', '/?user=amara'],
  nextjs: ['/', '/'],
};

const PNPM = 'npx --yes pnpm@12.21.0';
const YARN = 'npx --yes --package=@yarnpkg/cli-dist@4.18.1 yarn';
/** A printed line in the words of a package manager, as the table in `docs/recipes/README.md` has them. */
const inWordsOf = (manager: PackageManager, line: string): string => {
  if (manager === 'npm') return line;
  const other = manager === 'pnpm' ? PNPM : YARN;
  if (line.startsWith('npm install ')) return line.replace('npm install', `${other} add`);
  return line.replace(/^npx /, manager === 'pnpm' ? `${other} exec ` : `${other} `);
};

/**
 * Puts a page together in an empty folder as it is printed: its install lines (with our packages from their tarballs), its files, its start lines, and waits for what
 * it says is to be seen. Only ports differ: free ones stand for 3000, 3001 and 8000. Returns what was seen.
 */
export async function tryRecipe(
  recipe: string,
  { node, manager, packed, chromium }: { node: string; manager: PackageManager; packed: Packed; chromium?: string },
): Promise<string> {
  const page = `docs/recipes/${recipe}.md`;
  const snippets = snippetsOf(page);
  const folder = mkdtempSync(join(tmpdir(), `realtime-recipe-${recipe}-`));
  const ports: Record<string, number> = { 3000: await freePort(), 3001: await freePort(), 8000: await freePort() };
  const here = (text: string) => text.replace(/\b(?:3000|3001|8000)\b/g, (port) => String(ports[port]));
  const shell = new Shell(folder, {
    ...npmSettings(),
    HOME: process.env.HOME,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    OP_REALTIME_STATE_DIR: join(folder, 'state'),
    NO_COLOR: '1',
    NEXT_TELEMETRY_DISABLED: '1',
    ...(recipe === 'nextjs' && { PORT: String(ports[3000]) }),
  });
  const linesOf = (wanted: 'install' | 'start' | 'see') =>
    snippets
      .filter(({ run }) => run?.step === wanted)
      .flatMap(({ code }) => code.split('\n'))
      .map((line) => inWordsOf(manager, here(line)));
  const change = (name: string, text: (before: string) => string) =>
    writeFileSync(join(folder, name), text(readFileSync(join(folder, name), 'utf8')));
  try {
    if (manager === 'pnpm') shell.write('pnpm-workspace.yaml', snippetIn('docs/install.md', 'allowBuilds').code);
    if (manager === 'yarn') {
      shell.write('yarn.lock', ''); // so that a project in a folder above is left alone
      const { code } = snippetIn('docs/install.md', 'nodeLinker');
      shell.write('.yarnrc.yml', `${code}\nnpmRegistryServer: ${await registry()}\n`);
    }
    for (const line of linesOf('install')) {
      await shell.run(withTarballs(line, packed));
      const envFile = line.includes('op-realtime init') && (/--to (\S+)/.exec(line)?.[1] ?? '.env.test');
      if (envFile) change(envFile, here);
    }
    for (const [name, code] of Object.entries(filesOf(page))) shell.write(name, here(code));
    for (const { append, code } of snippets) if (append) change(append, (before) => `${before}${code}\n`);
    await shell.checkTypes();

    for (const line of linesOf('start')) await shell.start(line);
    const windows = WINDOWS[recipe];
    if (windows) {
      if (!chromium) return 'types; the browser is SKIPPED: no Chromium';
      const browser = await launch(chromium);
      try {
        return await tryInTwoWindows(browser, `http://localhost:${ports[3000]}`, windows);
      } finally {
        await browser.close();
      }
    }
    const { expected = '' } = snippets.find(({ run }) => run?.step === 'see')?.run ?? {};
    const see = linesOf('see');
    for (const line of see.slice(0, -1)) await shell.start(line);
    await shell.repeat(see.at(-1) ?? '', expected);
    return expected;
  } catch (cause) {
    throw new Error(`${page} with ${manager}: ${cause instanceof Error ? cause.message : cause}\n${shell.text()}`, {
      cause,
    });
  } finally {
    await shell.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `@op/realtime` stands for the tarball that would be published. */
const withTarballs = (line: string, { tarballs }: Packed): string =>
  line.replace(/@op\/[\w-]+/g, (name) => `${name}@${tarballs[name]}`);
