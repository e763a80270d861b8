import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../../test/free-port.ts';
import { bundle } from '../test/bundle.ts';

export const API_KEY = 'converge-api-key';
export const TOKEN_SECRET = 'converge-token-secret-of-more-than-32-bytes';

export type BrokerEngine = 'embedded' | 'centrifugo';

let embedded: Promise<string> | undefined;

/** The embedded broker as one file: it is started often, and from its sources each start would cost a second. */
function embeddedBroker(): Promise<string> {
  const packageUrl = new URL('../../broker/', import.meta.url);
  embedded ??= bundle(new URL('src/bin.ts', packageUrl), packageUrl, { isWhole: true });
  return embedded;
}

const START_LIMIT_MS = 60_000;

// The server is killed when our end of the shell's input closes: on purpose, or because this process ended in whatever way. `$0` is the command.
const GUARD = '"$0" "$@" </dev/null & server=$!; read -r _; kill -KILL $server; wait $server 2>/dev/null; exit 0';

/** A broker in a process of its own, so that it can be killed as a power cut would. Comes back on the same port, with an empty memory. */
export class BrokerProcess {
  readonly port: number;
  readonly #engine: BrokerEngine;
  #child: ChildProcess | null = null;
  /** Counts its starts. */
  life = 0;

  private constructor(engine: BrokerEngine, port: number) {
    this.#engine = engine;
    this.port = port;
  }

  static async start(engine: BrokerEngine): Promise<BrokerProcess> {
    const broker = new BrokerProcess(engine, await freePort());
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    const [command, args] =
      this.#engine === 'centrifugo'
        ? [process.env.CENTRIFUGO_BIN ?? 'centrifugo', []]
        : [process.execPath, [await embeddedBroker()]];
    const child = spawn('/bin/sh', ['-c', GUARD, command, ...args], {
      env: { PATH: process.env.PATH, ...environment(this.port) },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child = child;
    this.life++;
    const deadlineMs = performance.now() + START_LIMIT_MS;
    while (
      !(await fetch(`http://127.0.0.1:${this.port}/health`).then(
        (response) => response.ok,
        () => false,
      ))
    ) {
      if (performance.now() > deadlineMs)
        throw new Error(`the ${this.#engine} broker is not healthy after ${START_LIMIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Starts it if it does not run. */
  async revive(): Promise<void> {
    if (!this.isRunning) await this.start();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child) return;
    child.stdin?.end();
    await once(child, 'exit');
  }
}

/** A short history, so that recovery sometimes fails; short grace periods, so that expiry happens within a run. */
function environment(port: number): Record<string, string> {
  return {
    CENTRIFUGO_HTTP_SERVER_PORT: String(port),
    CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
    CENTRIFUGO_HTTP_API_KEY: API_KEY,
    CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: TOKEN_SECRET,
    CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '2',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
    CENTRIFUGO_CLIENT_PING_INTERVAL: '2s',
    CENTRIFUGO_CLIENT_PONG_TIMEOUT: '1500ms',
    CENTRIFUGO_CLIENT_EXPIRED_CLOSE_DELAY: '1s',
    CENTRIFUGO_CLIENT_EXPIRED_SUB_CLOSE_DELAY: '1s',
    CENTRIFUGO_CLIENT_PRESENCE_UPDATE_INTERVAL: '1s',
    CENTRIFUGO_HEALTH_ENABLED: 'true',
    CENTRIFUGO_LOG_LEVEL: 'error',
  };
}
