import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, unixSeconds } from './core/clock.ts';
import { Engine } from './core/engine.ts';
import { resolveOptions } from './core/settings.ts';
import { HttpEdge } from './edges/http-server.ts';
import { createTokenVerifier } from './edges/jwt.ts';
import { Flusher } from './edges/outbox.ts';
import { WebSocketEdge } from './edges/websocket.ts';
import { Opcodes } from './edges/websocket-frame.ts';

/** How much longer a start may take. */
const MAX_MS = 300;
/** Clients that come and go together, and how often they do. */
const CLIENTS = 25;
const ROUNDS = 80;
/** Publications that the clients find in the history when they come back. */
const MISSED = 5;

const CHANNEL = 'warm:shared';
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;
const DATA = { text: 'x'.repeat(100) };

const UPGRADE =
  'GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2FybS11cC13YXJtLXVwIQ==\r\n\r\n';

/** A connection whose bytes come from this process and go nowhere. */
class LoopSocket extends Socket {
  override _read(): void {}

  override _write(_bytes: unknown, _encoding: unknown, done: () => void): void {
    done();
  }

  arrive(bytes: Buffer): void {
    this.emit('data', bytes);
  }
}

/** A text frame as clients send it. */
function clientFrame(text: string): Buffer {
  const { length } = text;
  const head = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  const masked = Buffer.from(text, 'latin1');
  for (let at = 0; at < length; at++) masked[at]! ^= MASK[at & 3]!;
  return Buffer.concat([Buffer.from([0x80 | Opcodes.Text, ...head, ...MASK]), masked]);
}

/** What a client may show to connect into its channels. */
function connectToken(user: string, channels: readonly string[], exp: number, key: string): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const subs = Object.fromEntries(channels.map((channel) => [channel, {}]));
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp, subs })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** A broker with no port, on which clients without a network come, listen, leave and come back. */
class Rehearsal {
  readonly #key = randomBytes(16).toString('hex');
  readonly #engine: Engine;
  readonly #edge: HttpEdge;
  readonly #tokens: readonly string[];
  readonly #open = new Set<LoopSocket>();

  constructor(clock: Clock) {
    const stream = { historySize: 100, historyTtlMs: 60_000, forceRecovery: true };
    const settings = resolveOptions({
      client: { token: { hmacSecretKey: this.#key } },
      httpApi: { key: this.#key },
      channel: { namespaces: { warm: stream, open: { ...stream, allowSubscribeForClient: true } } },
    });
    const surroundings = { clock, random: Math.random, newClientId: randomUUID, newEpoch: () => 'rehearse' };
    const verifier = createTokenVerifier(settings.client.token, undefined, clock);
    this.#engine = new Engine(settings, surroundings, verifier);
    this.#edge = new HttpEdge(this.#engine, new WebSocketEdge(this.#engine, new Flusher()));
    const exp = unixSeconds(clock) + 3600;
    this.#tokens = Array.from({ length: CLIENTS }, (_, at) =>
      connectToken(String(at), at % 2 ? [CHANNEL] : [CHANNEL, `warm:own:${at}`], exp, this.#key),
    );
  }

  /** All clients come, recover what they missed, hear of what is published, and are cut off. */
  async round(): Promise<void> {
    const api = this.#connection();
    const stream = this.#engine.hub.channels.get(CHANNEL)?.stream;
    const from = stream && { recover: true, epoch: stream.epoch, offset: stream.top - MISSED };
    const subs = from ? { [CHANNEL]: from } : undefined;
    const clients = this.#tokens.map((token) => {
      const client = this.#connection();
      client.arrive(Buffer.from(UPGRADE));
      client.arrive(clientFrame(JSON.stringify({ id: 1, connect: { token, subs } })));
      return client;
    });
    await nextTurn();
    for (const [at, client] of clients.entries())
      if (at % 4 === 0) client.arrive(clientFrame(`{"id":2,"subscribe":{"channel":"open:${at}"}}`));
    for (let at = 0; at < CLIENTS; at += 2) this.#publish(api, `warm:own:${at}`);
    this.#publish(api, CHANNEL);
    await nextTurn();
    for (const client of clients) client.destroy();
    await nextTurn();
    for (let missed = 0; missed < MISSED; missed++) this.#publish(api, CHANNEL);
    api.destroy();
    this.#open.clear();
    await nextTurn();
  }

  /** Also after a round that failed. */
  async end(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await nextTurn();
    this.#engine.stop();
    await this.#edge.close();
  }

  #connection(): LoopSocket {
    const socket = new LoopSocket();
    this.#open.add(socket);
    this.#edge.take(socket);
    return socket;
  }

  #publish(api: LoopSocket, channel: string): void {
    const body = JSON.stringify({ channel, data: DATA });
    const head = `POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${this.#key}\r\n`;
    api.arrive(Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`));
  }
}

/** What a warm-up came to; for its test. */
export interface WarmUpResult {
  readonly rounds: number;
  readonly failure: unknown;
}

/**
 * Runs what clients will ask for until it is compiled. A broker that is restarted gets all its clients back at once, and that is when its code is cold:
 * a third of the work of the first thousands of connections was the compiler's. The rehearsal has an engine, a key and connections of its own, listens
 * nowhere, and is dropped. Nothing depends on it: a failure ends it, and the broker starts without.
 * @param clock its time limits the rehearsal to 300 ms, give or take a round
 */
export async function warmUp(clock: Clock): Promise<WarmUpResult> {
  const endMs = clock.now() + MAX_MS;
  let rounds = 0;
  let failure: unknown;
  try {
    const rehearsal = new Rehearsal(clock);
    try {
      for (; rounds < ROUNDS && clock.now() < endMs; rounds++) await rehearsal.round();
    } finally {
      await rehearsal.end();
    }
  } catch (error) {
    // A broker that starts cold is slower for a second; one that does not start is of no use.
    failure = error;
  }
  return { rounds, failure };
}
