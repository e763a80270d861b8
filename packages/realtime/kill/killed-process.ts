import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'esbuild';
import { type ProcessSettings, type Told, VARIABLE } from './settings.ts';

const START_LIMIT_MS = 60_000;

export type Kind = 'app' | 'relay' | 'broker';

/** The programs of the processes, each in one file: a start then costs a fraction of what compiling costs. */
export class Programs {
  readonly #folder = mkdtempSync(join(tmpdir(), 'op-kill-'));

  static async build(): Promise<Programs> {
    const programs = new Programs();
    await build({
      entryPoints: ['app', 'relay', 'broker'].map((name) => join(import.meta.dirname, `${name}.ts`)),
      outdir: programs.#folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      conditions: ['@op/source'],
      external: ['pg-native', 'bufferutil', 'utf-8-validate'],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'silent',
    });
    return programs;
  }

  path(kind: Kind): string {
    return join(this.#folder, `${kind}.mjs`);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A process that is killed as a power cut would, and started again on the same port. It ends with this process in any case: the channel between them closes. */
export class KilledProcess {
  readonly kind: Kind;
  readonly #program: string;
  readonly #settings: ProcessSettings;
  #child: ChildProcess | null = null;
  #ready: Promise<void> = Promise.resolve();
  /** As the relay in it told; nothing of a process that is dead. */
  hasLock = false;
  /** Called when that changes. */
  onLock: () => void = () => {};

  constructor(kind: Kind, programs: Programs, settings: ProcessSettings) {
    this.kind = kind;
    this.#program = programs.path(kind);
    this.#settings = settings;
  }

  start(): Promise<void> {
    return this.#next(() => this.#fork());
  }

  /** Resolves when the process serves, whatever it goes through before. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Kills it, once it serves, and starts it anew. */
  restart(deadMs: number): Promise<void> {
    return this.#next(async () => {
      await this.kill();
      await pause(deadMs);
      await this.#fork();
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.hasLock = false;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** One thing after the other. */
  #next(run: () => Promise<void>): Promise<void> {
    this.#ready = this.#ready.then(run);
    this.#ready.catch(() => {}); // whoever waits for it hears of it
    return this.#ready;
  }

  async #fork(): Promise<void> {
    const child = fork(this.#program, {
      execArgv: [],
      env: { PATH: process.env.PATH, [VARIABLE]: JSON.stringify(this.#settings) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (told: Told) => {
      if (this.#child !== child || !('hasLock' in told)) return;
      this.hasLock = told.hasLock;
      this.onLock();
    });
    await ready(child, this.kind);
  }
}

function ready(child: ChildProcess, kind: Kind): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the ${kind} does not serve after ${START_LIMIT_MS} ms`)),
      START_LIMIT_MS,
    );
    const end = (settle: () => void) => {
      clearTimeout(timer);
      settle();
    };
    child.on('message', (told: Told) => {
      if ('ready' in told) end(resolve);
    });
    child.once('exit', (code, signal) =>
      end(signal === 'SIGKILL' ? resolve : () => reject(new Error(`the ${kind} ended with ${code ?? signal}`))),
    );
  });
}
