import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { brokerEnvironment } from './broker-environment.ts';
import type { BrokerSettings } from './broker-settings.ts';

/** How long a broker that ended by itself stays away, so that one which cannot start does not spin. */
const RESTART_DELAY_MS = 300;

/** How long a broker may take to end in peace. */
const STOP_PATIENCE_MS = 600;

/** The demo's own broker: a child process that comes back on the same port when it dies. */
export class BrokerProcess {
  readonly settings: BrokerSettings;
  readonly #origins: readonly string[];
  #child: ChildProcess | null;
  #restart: NodeJS.Timeout | null = null;
  /** Whether it should be there: false after `stop` and `kill`. */
  #isWanted = true;

  private constructor(settings: BrokerSettings, origins: readonly string[], child: ChildProcess) {
    this.settings = settings;
    this.#origins = origins;
    this.#child = child;
    this.#superviseChild(child);
  }

  /** Starts it on a free port, open to pages of these origins. */
  static async start(origins: readonly string[]): Promise<BrokerProcess> {
    const secrets = { apiKey: randomBytes(24).toString('hex'), tokenSecret: randomBytes(32).toString('hex') };
    const { child, ready } = forkBroker(0, origins, secrets);
    const { url, apiUrl } = await ready;
    return new BrokerProcess({ ...secrets, wsUrl: url, apiUrl }, origins, child);
  }

  /** The process, or `null` while it is down. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Ends it the hard way and keeps it down until `resume`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Brings it back after `kill`, on the same port, with nothing remembered: as a restart of a memory engine. */
  async resume(): Promise<void> {
    if (this.#child) return;
    this.#isWanted = true;
    const { child, ready } = forkBroker(Number(new URL(this.settings.wsUrl).port), this.#origins, this.settings);
    this.#child = child;
    this.#superviseChild(child);
    await ready;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.#end('disconnect');
  }

  async #end(how: 'SIGKILL' | 'disconnect'): Promise<void> {
    this.#isWanted = false;
    if (this.#restart) clearTimeout(this.#restart);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (how === 'disconnect' && child.connected) child.disconnect();
    else child.kill('SIGKILL');
    const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    await exited;
    clearTimeout(lastResort);
  }

  #superviseChild(child: ChildProcess): void {
    child.once('exit', () => {
      this.#child = null;
      if (!this.#isWanted) return;
      this.#restart = setTimeout(() => {
        if (this.#isWanted) this.resume().catch(() => {}); // its own exit brings the next attempt
      }, RESTART_DELAY_MS);
    });
  }
}

function forkBroker(port: number, origins: readonly string[], secrets: Pick<BrokerSettings, 'apiKey' | 'tokenSecret'>) {
  const child = fork(join(import.meta.dirname, 'broker-child.ts'), {
    env: brokerEnvironment(process.env, port, origins, secrets),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ready = new Promise<{ url: string; apiUrl: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { url: string; apiUrl: string }));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The demo's broker ended before it was ready (exit code ${code}).`)));
  });
  return { child, ready };
}
