import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Clock, unixSeconds } from './core/clock.ts';
import { Engine } from './core/engine.ts';
import { resolveOptions } from './core/settings.ts';
import { HttpEdge } from './edges/http-server.ts';
import { createTokenVerifier } from './edges/jwt.ts';
import { Flusher } from './edges/outbox.ts';
import { WebSocketEdge } from './edges/websocket.ts';
import { Opcodes } from './edges/websocket-frame.ts';

/** Clients that come and go together. */
const CLIENTS = 25;
/** Publications that the clients find in the history when they come back. */
const MISSED = 5;

const LOOPBACK = '127.0.0.1';
const CHANNEL = 'warm:shared';
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;
const DATA = { text: 'x'.repeat(100) };

const UPGRADE = Buffer.from(
  'GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2FybS11cC13YXJtLXVwIQ==\r\n\r\n',
);

/** A client that says its lines one by one, each when it was answered. What it hears does not matter to it, only that something came. */
class Client {
  readonly #socket: Socket;
  readonly #lines: readonly Buffer[];
  readonly #said: () => void;
  #next = 0;

  /** @param said called once: when the last line was answered, or the connection is over */
  constructor(port: number, lines: readonly Buffer[], said: () => void) {
    this.#lines = lines;
    this.#said = said;
    this.#socket = connect({ host: LOOPBACK, port, noDelay: true });
    const speak = this.#speak.bind(this);
    this.#socket.on('connect', speak);
    this.#socket.on('data', speak);
    this.#socket.on('error', () => {});
    this.#socket.on('close', this.#gone.bind(this));
  }

  #speak(): void {
    if (this.#next > this.#lines.length) return;
    const line = this.#lines[this.#next++];
    if (line) this.#socket.write(line);
    else this.#said();
  }

  #gone(): void {
    if (this.#next <= this.#lines.length) this.#said();
    this.#next = Number.POSITIVE_INFINITY;
  }

  leave(): void {
    this.#socket.destroy();
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

/** A broker of its own, to which clients come, listen, leave and come back, all within this process. */
export class Rehearsal {
  readonly #key = randomBytes(16).toString('hex');
  readonly #engine: Engine;
  readonly #edge: HttpEdge;
  readonly #tokens: readonly string[];
  #clients: Client[] = [];
  #port = 0;

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

  async begin(): Promise<void> {
    this.#port = await this.#edge.listen(LOOPBACK, 0);
  }

  /** All clients come, recover what they missed, hear of what is published, and are cut off. */
  async round(): Promise<void> {
    const stream = this.#engine.hub.channels.get(CHANNEL)?.stream;
    const from = stream && { recover: true, epoch: stream.epoch, offset: stream.top - MISSED };
    const subs = from ? { [CHANNEL]: from } : undefined;
    await this.#come(
      this.#tokens.map((token, at) => {
        const lines = [UPGRADE, clientFrame(JSON.stringify({ id: 1, connect: { token, subs } }))];
        return at % 4 === 0 ? [...lines, clientFrame(`{"id":2,"subscribe":{"channel":"open:${at}"}}`)] : lines;
      }),
    );
    const own = this.#tokens.flatMap((_, at) => (at % 2 ? [] : [this.#publish(`warm:own:${at}`)]));
    await this.#come([[...own, this.#publish(CHANNEL)]]);
    this.#leave();
    await this.#come([Array.from({ length: MISSED }, () => this.#publish(CHANNEL))]);
    this.#leave();
  }

  /** Also after a round that failed. */
  async end(): Promise<void> {
    this.#leave();
    this.#engine.stop();
    await this.#edge.close();
  }

  /** Cuts off the clients. */
  #leave(): void {
    for (const client of this.#clients) client.leave();
    this.#clients = [];
  }

  /** New clients come and say their lines. */
  #come(parts: readonly (readonly Buffer[])[]): Promise<void> {
    return new Promise((resolve) => {
      let speaking = parts.length;
      const said = () => {
        if (--speaking === 0) resolve();
      };
      for (const lines of parts) this.#clients.push(new Client(this.#port, lines, said));
    });
  }

  #publish(channel: string): Buffer {
    const body = JSON.stringify({ channel, data: DATA });
    const head = `POST /api/publish HTTP/1.1\r\nHost: ${LOOPBACK}\r\nX-API-Key: ${this.#key}\r\n`;
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  }
}
