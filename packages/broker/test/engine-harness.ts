import { callApi } from '../src/core/api/api.ts';
import { Engine } from '../src/core/engine.ts';
import type { Hooks } from '../src/core/hooks.ts';
import type { BrokerOptions } from '../src/core/options.ts';
import type { Peer } from '../src/core/peer.ts';
import { Session } from '../src/core/session.ts';
import { resolveOptions } from '../src/core/settings.ts';
import { createTokenVerifier } from '../src/edges/jwt.ts';
import type { Disconnect } from '../src/protocol/codes.ts';
import type { Encoding } from '../src/protocol/encoding.ts';
import { jsonEncoding } from '../src/protocol/json-encoding.ts';
import { SECRET, signToken } from './tokens.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Namespaces that cover the rules: closed with recovery, open with recovery, open with presence, open without anything. */
export const NAMESPACES = {
  trpc: { historySize: 300, historyTtlMs: 600_000, forceRecovery: true },
  open: {
    allowSubscribeForClient: true,
    allowPublishForClient: true,
    allowHistoryForClient: true,
    historySize: 10,
    historyTtlMs: 60_000,
    forceRecovery: true,
  },
  pres: {
    allowSubscribeForClient: true,
    allowPresenceForClient: true,
    presence: true,
    joinLeave: true,
    forcePushJoinLeave: true,
  },
  plain: { allowSubscribeForClient: true },
} as const;

/** A connection without a socket: remembers what it was sent. */
export class TestPeer implements Peer {
  readonly transport = 'websocket';
  readonly isUnidirectional = false;
  readonly isEmulation = false;
  readonly refusedCloseDelayMs = 5000;
  readonly headers = undefined;
  readonly encoding: Encoding = jsonEncoding;
  /** Messages since the last `take`. */
  messages: string[] = [];
  closed: Disconnect | undefined = undefined;
  isTerminated = false;

  push(message: string): void {
    if (!this.closed) this.messages.push(message);
  }
  close(disconnect: Disconnect): void {
    this.closed = disconnect;
  }
  terminate(): void {
    this.isTerminated = true;
  }
  pause(): void {}
  resume(): void {}

  /** What came since the last call. */
  take(): string[] {
    const { messages } = this;
    this.messages = [];
    return messages;
  }
}

export interface Client {
  readonly session: Session;
  readonly peer: TestPeer;
  /** Sends one frame of these lines and returns what comes back. */
  send(...lines: (string | object)[]): string[];
}

/** An engine on a virtual clock. */
export function createEngine(options: BrokerOptions = {}, hooks: Hooks = {}, clock = new VirtualClock()) {
  const settings = resolveOptions({
    ...options,
    client: { token: { hmacSecretKey: SECRET }, ...options.client },
    channel: { namespaces: NAMESPACES, ...options.channel },
  });
  let ids = 0;
  let epochs = 0;
  const engine = new Engine(
    settings,
    {
      clock,
      random: () => 0.5,
      newClientId: () => `client-${++ids}`,
      newEpoch: () => `epoch${String(++epochs).padStart(3, '0')}`,
    },
    createTokenVerifier(settings.client.token, settings.client.subscriptionToken, clock),
    hooks,
  );

  /** A connection that has not sent anything. */
  function open(): Client {
    const peer = new TestPeer();
    const session = new Session(engine, peer);
    const send = (...lines: (string | object)[]) => {
      const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
      session.receive(Buffer.from(text));
      return peer.take();
    };
    return { session, peer, send };
  }

  /** A connected client. */
  function connect(claims: object = { sub: 'u1' }, request: object = {}): Client {
    const client = open();
    client.send({ id: 1, connect: { token: signToken(claims), ...request } });
    return client;
  }

  /** Unix seconds of the virtual clock. */
  const nowSeconds = () => Math.floor(clock.now() / 1000);

  return { engine, clock, open, connect, nowSeconds };
}

/** Calls the server API. */
export function call(engine: Engine, method: string, request: unknown): Record<string, unknown> {
  const body = typeof request === 'string' ? request : JSON.stringify(request);
  const answer = callApi(engine, method, Buffer.from(body).toString('latin1'), false);
  return JSON.parse(Buffer.from(answer.body, 'latin1').toString()) as Record<string, unknown>;
}
