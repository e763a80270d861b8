import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { bundle } from '../test/bundle.ts';
import { type ProcessSettings, type Told, VARIABLE } from './settings.ts';

const START_LIMIT_MS = 60_000;

export type Kind = 'app' | 'relay' | 'broker';

/** The program of each process, as a file. */
export type Programs = Readonly<Record<Kind, string>>;

const PACKAGE = new URL('../', import.meta.url);

export async function buildPrograms(): Promise<Programs> {
  const program = (kind: Kind) => bundle(new URL(`${kind}.ts`, import.meta.url), PACKAGE, { isWhole: true });
  const [app, relay, broker] = await Promise.all([program('app'), program('relay'), program('broker')]);
  return { app, relay, broker };
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
    this.#program = programs[kind];
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
