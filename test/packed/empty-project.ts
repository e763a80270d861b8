import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Exact versions: a try of ours must not depend on what others published today. */
export const MANAGERS = {
  npm: ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error'],
  pnpm: ['npx', '--yes', 'pnpm@12.21.0', 'install', '--no-frozen-lockfile', '--silent'],
  yarn: ['npx', '--yes', '--package=@yarnpkg/cli-dist@4.18.1', 'yarn', 'install', '--no-immutable'],
} as const;
export type PackageManager = keyof typeof MANAGERS;

/** The two packages as they would be published, and what a project takes beside them. */
export interface Packed {
  readonly tarballs: Readonly<Record<string, string>>;
  readonly beside: Readonly<Record<string, string>>;
}

/** Packs both; `dist` must be built. pnpm writes real versions where the manifests say `catalog:` and `workspace:`. */
export async function pack(into: string): Promise<Packed> {
  const tarballs: Record<string, string> = {};
  for (const folder of ['packages/realtime', 'packages/broker']) {
    const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    await run('npx', ['--yes', 'pnpm@12.21.0', 'pack', '--pack-destination', into], { cwd: join(ROOT, folder) });
    tarballs[name] = `file:${join(into, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)}`;
  }
  const catalog = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8');
  const beside: Record<string, string> = {};
  for (const name of BESIDE)
    beside[name] =
      new RegExp(`^  "?${name}"?: (\\S+)$`, 'm').exec(catalog)?.[1] ?? fail(`${name} is not in the catalog`);
  return { tarballs, beside };
}

/** "Are the types wrong", for packages that are modules only. */
export async function checkTypes(tarball: string): Promise<void> {
  const args = [
    '--yes',
    '@arethetypeswrong/cli@0.18.5',
    tarball.replace('file:', ''),
    '--profile',
    'esm-only',
    '--no-color',
  ];
  await run('npx', args).catch((error: { stdout: string }) => fail(error.stdout));
}

const BESIDE = [
  '@opentelemetry/api',
  '@tanstack/query-core',
  '@tanstack/react-query',
  '@trpc/client',
  '@trpc/server',
  '@types/node',
  '@types/react',
  '@types/react-dom',
  'esbuild',
  'react',
  'react-dom',
  'typescript',
];

/** The `node` of a version: this one, or one from the registry's package of its binary. */
export async function nodeBinary(major: number, tools: string): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(tools, `node-${major}`);
  mkdirSync(folder, { recursive: true });
  await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${LEAST[major] ?? major}`]);
  return join(folder, 'node_modules', name, 'bin/node');
}

/** The oldest of each line that the packages promise to run on is in its range; the newest is taken. */
const LEAST: Readonly<Record<number, string>> = { 20: '^20.19.0', 22: '^22.12.0', 24: '^24.0.0' };

/** A project outside of this repository that installed both packages, and nothing of ours beside them. */
export class EmptyProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'realtime-packed-'));
  readonly #node: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(node: string) {
    this.#node = node;
    const { PATH, HOME } = process.env;
    this.#env = { ...npmSettings(), PATH: `${dirname(node)}${delimiter}${PATH}`, HOME };
    cpSync(fileURLToPath(new URL('project', import.meta.url)), this.folder, { recursive: true });
  }

  async install(manager: PackageManager, { tarballs, beside }: Packed): Promise<void> {
    this.#write('package.json', { private: true, type: 'module', dependencies: { ...beside, ...tarballs } });
    // pnpm 12 asks about each install script of a dependency; neither of these two is needed (docs/install.md).
    this.#write('pnpm-workspace.yaml', { allowBuilds: { esbuild: false, protobufjs: false } });
    this.#write('.yarnrc.yml', {
      nodeLinker: 'node-modules',
      enableTelemetry: false,
      npmRegistryServer: await registry(),
    });
    const [command, ...args] = MANAGERS[manager];
    await this.#run(command, args);
  }

  /** Type-checks, library files included, as `moduleResolution` asks, and leaves JavaScript behind. */
  async compile(moduleResolution: 'bundler' | 'nodenext'): Promise<void> {
    const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext';
    this.#write('tsconfig.json', {
      compilerOptions: {
        ...{
          strict: true,
          target: 'es2023',
          jsx: 'react-jsx',
          types: ['node'],
          lib: ['es2023', 'dom', 'dom.iterable'],
        },
        ...{ module, moduleResolution, skipLibCheck: false, outDir: 'out' },
      },
      include: ['*.ts', '*.tsx'],
    });
    const complaints = await this.node('node_modules/typescript/bin/tsc', '--pretty', 'false').then(
      () => [],
      (error: Error) => error.message.split('\n').filter((line) => /^\S+\(\d+,\d+\)/.test(line)),
    );
    // Of library files only ours: what others declare is theirs.
    const ours = complaints.filter((line) => !line.startsWith('node_modules/') || line.startsWith('node_modules/@op/'));
    if (ours.length > 0) fail(`types under ${moduleResolution}:\n${ours.join('\n')}`);
  }

  node(...args: string[]): Promise<string> {
    return this.#run(this.#node, args);
  }

  /** For a process that stays. */
  get spawnOptions() {
    return { command: this.#node, cwd: this.folder, env: this.#env };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    const options = { cwd: this.folder, env: this.#env, timeout: 300_000 };
    const { stdout } = await run(command, args, options).catch((error: { stdout?: string; stderr?: string }) =>
      fail(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`),
    );
    return stdout.trim();
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  #write(name: string, content: unknown): void {
    this.write(name, JSON.stringify(content, null, 2));
  }
}

/** Where this machine's npm fetches from. */
export const registry = async (): Promise<string> => (await run('npm', ['config', 'get', 'registry'])).stdout.trim();

/** The same for the other managers, as variables. */
export function npmSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(npm_config_|NPM_CONFIG_|NODE_EXTRA_CA|SSL_CERT|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)/.test(name),
    ),
  );
}

function fail(text: string): never {
  throw new Error(text);
}
