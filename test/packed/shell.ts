import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PATIENCE_MS = 150_000;
const AGAIN_MS = 5_000;

/** Programs that stay until they are ended; everything else is waited for. */
const STAYS = /op-realtime (?:tail|dev(?!.* --detach))|\btsx .*(?:server|listen|join)\.ts|\bvite$|next dev$/;

/** A folder in which the lines of a page are typed. */
export class Shell {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #children = new Set<ChildProcess>();
  #text = '';

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /** All that was written so far. */
  text(): string {
    return this.#text;
  }

  write(name: string, text: string): void {
    const path = join(this.#folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Types a line and waits for its end. */
  async run(line: string): Promise<void> {
    const code = await this.#finish(this.#spawn(line));
    if (code !== 0) throw new Error(`"${line}" ended with ${code}`);
  }

  /** Types a line of which one cannot know whether it stays. */
  async start(line: string): Promise<void> {
    if (!STAYS.test(line)) return this.run(line);
    this.#spawn(line);
  }

  /** Types a line again and again, as one does whose server is still starting, until something was written. */
  async repeat(line: string, expected: string): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
      const finished = this.#finish(this.#spawn(line));
      for (const again = Date.now() + AGAIN_MS; Date.now() < again; ) {
        if (this.#text.includes(expected)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await finished;
    }
    throw new Error(`nothing wrote "${expected}"`);
  }

  /** Where the page installs TypeScript, its files fit together as a bundler resolves them. */
  async checkTypes(): Promise<void> {
    if (!existsSync(join(this.#folder, 'node_modules/typescript'))) throw new Error('the page installs no TypeScript');
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, target: 'es2023', lib: ['es2023', 'dom', 'dom.iterable'] },
      ...{ module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx' },
      types: existsSync(join(this.#folder, 'node_modules/@types/node')) ? ['node'] : [],
    };
    this.write('types/tsconfig.json', JSON.stringify({ compilerOptions, include: ['../**/*.ts', '../**/*.tsx'] }));
    await this.run('node node_modules/typescript/bin/tsc -p types --pretty false');
  }

  /** Ends what stays. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null || !child.pid) continue;
      const ended = once(child, 'close');
      process.kill(-child.pid, 'SIGTERM');
      const kill = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), AGAIN_MS);
      await ended;
      clearTimeout(kill);
    }
    if (existsSync(join(this.#folder, 'state')))
      await this.run('node node_modules/@op/realtime/dist/cli/bin.js down --env-file .env.test').catch(() => {});
  }

  #spawn(line: string): ChildProcess {
    const child = spawn('sh', ['-c', line], {
      cwd: this.#folder,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#text += `$ ${line}\n`;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#text += chunk;
      });
    this.#children.add(child);
    return child;
  }

  async #finish(child: ChildProcess): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    return child.exitCode;
  }
}
