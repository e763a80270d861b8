import { readTokenClaims } from '../client/token-claims.ts';
import type { TransportJoin } from '../client/transport.ts';
import type { Clock } from '../core/clock.ts';
import { BrokerError } from '../core/errors.ts';
import type { Position } from '../core/position.ts';
import { encodeTestToken, type TestTokenClaims } from './test-token.ts';

export interface StoredPublication {
  readonly offset: number | null;
  readonly data: unknown;
  readonly tags: Readonly<Record<string, string>>;
}

/** A joined channel's answer: where it stands, and what was missed. */
export interface MemoryJoin extends TransportJoin {
  readonly publications: readonly StoredPublication[];
}

/** One connection, as the broker sees it. */
export interface MemorySession {
  readonly userId: string;
  published(channel: string, publication: StoredPublication): void;
  presenceChanged(channel: string): void;
  unsubscribed(channel: string, code: number): void;
  closed(code: number, reason: string): void;
}

interface Stream {
  readonly epoch: string;
  offset: number;
  readonly history: StoredPublication[];
}

/** Codes as Centrifugo has them. */
export const MemoryCode = {
  permissionDenied: 103,
  limitExceeded: 106,
  notAvailable: 108,
  tokenExpired: 109,
  insufficientState: 3010,
  stateInvalidated: 3014,
  invalidToken: 3500,
} as const;

/**
 * A broker in memory: streams with positions, history and recovery, tokens, and what can be done to its connections from outside.
 * It has no latency of its own; the transport has.
 */
export class MemoryBroker {
  /** While `false` nobody can connect. */
  isUp = true;
  readonly #clock: Clock;
  readonly #historySize: number;
  readonly #channelLimit: number;
  #streams = new Map<string, Stream>();
  #epochs = 0;
  #failures: { count: number; error: BrokerError } | null = null;
  readonly #issued = new Map<string, 'valid' | 'expired'>();
  readonly #sessions = new Map<MemorySession, Set<string>>();

  constructor(clock: Clock, { historySize = 300, channelLimit = 128 } = {}) {
    this.#clock = clock;
    this.#historySize = historySize;
    this.#channelLimit = channelLimit;
  }

  /** A token that this broker takes: of a connection, or, with `channel`, of one subscription. */
  issueToken(claims: TestTokenClaims): string {
    const token = encodeTestToken(claims, this.#clock.now(), this.#issued.size);
    this.#issued.set(token, 'valid');
    return token;
  }

  /** All tokens issued so far expire now; connections are closed and have to bring new ones. */
  expireTokens(): void {
    for (const token of this.#issued.keys()) this.#issued.set(token, 'expired');
    this.closeAll(3005, 'connection expired');
  }

  /** Open connections. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** The channels that a user's connections have joined. */
  channelsOf(userId: string): string[] {
    return [...this.#sessions]
      .filter(([session]) => session.userId === userId)
      .flatMap(([, channels]) => [...channels]);
  }

  /** The channels that one connection has joined. @internal */
  channelsIn(session: MemorySession): string[] {
    return [...(this.#sessions.get(session) ?? [])];
  }

  /** The channel's position now: what a server would read as a stamp. */
  position(channel: string): Position {
    const { epoch, offset } = this.#stream(channel);
    return { epoch, offset };
  }

  /**
   * Publishes to everybody who has joined.
   * @throws BrokerError while `failPublishes` is in force
   */
  publish(
    channel: string,
    data: unknown,
    { tags = {}, skipHistory = false }: { tags?: Record<string, string>; skipHistory?: boolean } = {},
  ): Position {
    if (this.#failures && this.#failures.count-- > 0) throw this.#failures.error;
    const stream = this.#stream(channel);
    if (!skipHistory) stream.offset++;
    const publication: StoredPublication = { offset: skipHistory ? null : stream.offset, data, tags };
    if (!skipHistory) {
      stream.history.push(publication);
      if (stream.history.length > this.#historySize) stream.history.shift();
    }
    for (const [session, channels] of [...this.#sessions])
      if (channels.has(channel)) session.published(channel, publication);
    return { epoch: stream.epoch, offset: stream.offset };
  }

  /** The next publishes fail. */
  failPublishes(count = 1, error: BrokerError = new BrokerError(100, 'internal server error')): void {
    this.#failures = { count, error };
  }

  /** Streams begin anew, as after a restart of a broker that keeps them in memory. Everybody is cut off. */
  restart(): void {
    this.#streams = new Map();
    this.closeAll(3001, 'shutdown');
  }

  /** Forgets past publications but keeps positions: whoever missed some cannot recover them. */
  dropHistory(): void {
    for (const stream of this.#streams.values()) stream.history.length = 0;
  }

  /** Ends every connection, with Centrifugo's code: 3000–3499 and 4000–4499 come back. */
  closeAll(code: number, reason: string): void {
    for (const session of [...this.#sessions.keys()]) this.#close(session, code, reason);
  }

  /** As the server API's `disconnect`. */
  disconnect(userId: string, code = 3503, reason = 'force disconnect'): void {
    for (const session of [...this.#sessions.keys()]) if (session.userId === userId) this.#close(session, code, reason);
  }

  /** As the server API's `unsubscribe`. */
  unsubscribe(userId: string, channel: string, code = 2000): void {
    for (const [session, channels] of [...this.#sessions])
      if (session.userId === userId && channels.delete(channel)) {
        session.unsubscribed(channel, code);
        this.#presenceChanged(channel);
      }
  }

  /** A connection was accepted. @internal */
  open(session: MemorySession): void {
    this.#sessions.set(session, new Set());
  }

  /** The connection is gone, whoever ended it. @internal */
  close(session: MemorySession): void {
    const channels = this.#sessions.get(session) ?? [];
    this.#sessions.delete(session);
    for (const channel of channels) this.#presenceChanged(channel);
  }

  /** Whether the connection has joined as many channels as it may. @internal */
  isFull(session: MemorySession): boolean {
    return (this.#sessions.get(session)?.size ?? 0) >= this.#channelLimit;
  }

  /** Joins, and recovers from `since` where that is still possible. @internal */
  join(session: MemorySession, channel: string, since: Position | null): MemoryJoin {
    this.#sessions.get(session)?.add(channel);
    this.#presenceChanged(channel);
    const { epoch, offset, history } = this.#stream(channel);
    const missed = history.filter(
      (publication) => publication.offset !== null && publication.offset > (since?.offset ?? 0),
    );
    const isRecovered =
      since !== null && since.epoch === epoch && since.offset <= offset && missed.length === offset - since.offset;
    return {
      position: isRecovered ? since : { epoch, offset },
      recovered: isRecovered,
      wasRecovering: since !== null,
      publications: isRecovered ? missed : [],
    };
  }

  /** The connection leaves a channel by itself. @internal */
  leave(session: MemorySession, channel: string): void {
    if (this.#sessions.get(session)?.delete(channel)) this.#presenceChanged(channel);
  }

  /** What a channel keeps, oldest first. */
  history(channel: string): readonly StoredPublication[] {
    return this.#stream(channel).history;
  }

  /** Who is in a channel: the user of each connection. */
  present(channel: string): string[] {
    return [...this.#sessions].filter(([, channels]) => channels.has(channel)).map(([session]) => session.userId);
  }

  /** The code by which a token is refused, or `null`. A foreign subscription token costs the whole connection, as on the real broker. @internal */
  faultOf(token: string, channel: string | null, userId: string | null): number | null {
    const claims = readTokenClaims(token);
    if (!claims || (channel === null && claims.channel !== null)) return MemoryCode.invalidToken;
    const validity = this.#issued.get(token);
    if (!validity) return channel === null ? MemoryCode.invalidToken : MemoryCode.permissionDenied;
    if (channel !== null && (claims.channel !== channel || claims.userId !== userId)) return MemoryCode.invalidToken;
    const expiresAtMs = (claims.expiresAtSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
    return validity === 'expired' || expiresAtMs <= this.#clock.now() ? MemoryCode.tokenExpired : null;
  }

  #close(session: MemorySession, code: number, reason: string): void {
    this.close(session);
    session.closed(code, reason);
  }

  #presenceChanged(channel: string): void {
    for (const [session, channels] of [...this.#sessions]) if (channels.has(channel)) session.presenceChanged(channel);
  }

  #stream(channel: string): Stream {
    let stream = this.#streams.get(channel);
    if (!stream) {
      stream = { epoch: `epoch-${++this.#epochs}`, offset: 0, history: [] };
      this.#streams.set(channel, stream);
    }
    return stream;
  }
}
