import { randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from './core/clock.ts';
import { Engine } from './core/engine.ts';
import { ListenError } from './core/errors.ts';
import type { BrokerOptions } from './core/options.ts';
import { resolveOptions, type Settings } from './core/settings.ts';
import { HttpEdge } from './edges/http-server.ts';
import { createTokenVerifier, skippingVerifier } from './edges/jwt.ts';
import { Flusher } from './edges/outbox.ts';
import { createProxies } from './edges/proxies.ts';
import { ProxyCaller } from './edges/proxy-caller.ts';
import { StreamsEdge } from './edges/streams.ts';
import { systemClock } from './edges/system-clock.ts';
import { WebSocketEdge } from './edges/websocket.ts';
import { beginWarmUp } from './warm-up.ts';

/** A running broker. */
export interface Broker {
  /** Where clients connect: `ws://127.0.0.1:8000/connection/websocket`. */
  readonly url: string;
  /** Where the server API is: `http://127.0.0.1:8000/api`. */
  readonly apiUrl: string;
  /** The port that it listens on, also where the options asked for any. */
  readonly port: number;
  /** Tells all clients to come back later (3001), waits for them to leave, and frees the port. Calling it again waits for the same. */
  close(): Promise<void>;
}

/** What tests replace. */
export interface BrokerSurroundings {
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Starts a broker.
 * @param surroundings for tests: another clock, and other random numbers
 * @throws BrokerConfigError (`invalid_config`) for options that do not fit together
 * @throws ListenError (`listen_failed`) where the address is taken or forbidden
 */
export async function startBroker(options: BrokerOptions = {}, surroundings: BrokerSurroundings = {}): Promise<Broker> {
  const settings = withName(resolveOptions(options));
  const { clock = systemClock, random = Math.random } = surroundings;
  const { token, subscriptionToken, insecureSkipTokenSignatureVerify } = settings.client;
  // Made in any case: keys that are none stop the start, also where nothing asks for them.
  const checking = createTokenVerifier(token, subscriptionToken, clock);
  const verifier = insecureSkipTokenSignatureVerify ? skippingVerifier : checking;
  const proxyCaller = new ProxyCaller(clock);
  const hooks = createProxies(settings.proxies, clock, proxyCaller);
  const engine = new Engine(settings, { clock, random, newClientId: randomUUID, newEpoch }, verifier, hooks);
  const flusher = new Flusher();
  const webSockets = new WebSocketEdge(engine, flusher);
  const edge = new HttpEdge(engine, webSockets);
  const streams = new StreamsEdge(engine, edge, flusher);
  const warmUp = options.warmUp ? beginWarmUp(clock, () => engine.hub.sessions.size === 0) : undefined;
  await warmUp?.awaited;
  let port: number;
  try {
    port = await edge.listen(settings.host, settings.port);
  } catch (cause) {
    warmUp?.stop();
    engine.stop();
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new ListenError(
      `Cannot listen on port ${settings.port} of ${settings.host || 'all interfaces'}${code}. Take another port; 0 is any that is free.`,
      { cause },
    );
  }
  let closing: Promise<void> | undefined;
  return {
    url: `ws://${hostFor(settings, port)}${settings.websocket.handlerPrefix}`,
    apiUrl: `http://${hostFor(settings, port)}${settings.httpApi.handlerPrefix}`,
    port,
    close() {
      warmUp?.stop();
      closing ??= shutDown(engine, edge, [webSockets, streams]).finally(async () => {
        proxyCaller.close();
        await warmUp?.over;
      });
      return closing;
    },
  };
}

/** A node without a name is called by its machine and the port that it was given. */
function withName(settings: Settings): Settings {
  return { ...settings, name: settings.name || `${hostname()}_${settings.port}` };
}

/** A host that one can connect to: an address that means "all" is reached by loopback. */
function hostFor({ host }: Settings, port: number): string {
  const reachable = host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function newEpoch(): string {
  // One draw for all letters: a storm of clients with channels of their own needs an epoch each.
  let number = randomInt(LETTERS.length ** 8);
  let epoch = '';
  for (let i = 0; i < 8; i++) {
    epoch += LETTERS[number % LETTERS.length];
    number = Math.floor(number / LETTERS.length);
  }
  return epoch;
}

/** A kind of connections. */
interface Connections {
  /** Those that are open, also those that have not connected yet. */
  readonly size: number;
  shutDown(): void;
}

async function shutDown(engine: Engine, edge: HttpEdge, kinds: readonly Connections[]): Promise<void> {
  // The clock's timers keep no process alive. Whoever awaits the end of the broker must not lose the process that it waits in.
  const alive = setInterval(() => {}, 60_000);
  edge.stopListening();
  for (const kind of kinds) kind.shutDown();
  await haveLeft(kinds, engine);
  engine.stop();
  await edge.close();
  clearInterval(alive);
}

/** How often a closing broker looks whether its clients are gone. */
const LOOK_MS = 10;

/** Waits until the clients are gone, or for the time that the settings give. */
function haveLeft(kinds: readonly Connections[], { surroundings, settings }: Engine): Promise<void> {
  const { clock } = surroundings;
  const deadline = clock.now() + settings.shutdown.timeoutMs;
  return new Promise((resolve) => {
    const look = () => {
      if (kinds.every(({ size }) => size === 0) || clock.now() >= deadline) resolve();
      else clock.after(LOOK_MS, look);
    };
    look();
  });
}
