import { readTokenClaims } from '../client/token-claims.ts';
import type { ChannelEvents, JoinOptions, Transport, TransportEvents, TransportFactory } from '../client/transport.ts';
import type { ChannelHistory, HistoryOptions, PresenceStats, PresentClient } from '../client/types.ts';
import type { Clock, Random } from '../core/clock.ts';
import { BrokerError, RealtimeError, UnauthorizedError } from '../core/errors.ts';
import { type MemoryBroker, MemoryCode, type MemorySession } from './memory-broker.ts';
import { MemoryChannels, type MemoryLink } from './memory-channels.ts';
import { MemoryWire } from './memory-wire.ts';

const CALL_TIMEOUT_MS = 5_000;
/** Ping interval, and what the SDK waits beyond it. */
const NO_PING_MS = 35_000;
const RETRY = { minMs: 500, maxMs: 20_000 } as const;
/** The SDK's own codes. */
const CODE = { transportClosed: 1, noPing: 2, failed: 2, tokenFailed: 5, unauthorized: 1 } as const;

interface MemoryTransportOptions {
  readonly broker: MemoryBroker;
  readonly clock: Clock;
  readonly random: Random;
  /** One way. */
  readonly latencyMs: number;
  /** What becomes of a publication on its way down: how often it arrives, and how much later. */
  readonly fate: () => { readonly copies: number; readonly delayMs: number };
}

/** The transports that one factory made, for faults on the wire. */
export class MemoryTransports {
  readonly #options: MemoryTransportOptions;
  readonly #made = new Set<MemoryTransport>();

  constructor(options: MemoryTransportOptions) {
    this.#options = options;
  }

  readonly factory: TransportFactory = (_config, events) => {
    const transport = new MemoryTransport(this.#options, events, () => this.#made.delete(transport));
    this.#made.add(transport);
    return transport;
  };

  /** Sockets opened so far, successful or not. */
  get attempts(): number {
    return [...this.#made].reduce((sum, transport) => sum + transport.attempts, 0);
  }

  /** The channels that are joined now. */
  get channels(): string[] {
    return [...this.#made].flatMap((transport) => transport.channels);
  }

  /** The network cuts every connection; the client notices at once. */
  drop(): void {
    for (const transport of this.#made) transport.drop(CODE.transportClosed, 'transport closed', true);
  }

  /** Nothing travels any more, and nobody notices, until a ping is missed. */
  halfOpen(): void {
    for (const transport of this.#made) transport.halfOpen();
  }
}

/** A transport to a `MemoryBroker` that behaves as `centrifuge` does: back-off, recovery, one turn per join, order kept. */
class MemoryTransport implements Transport {
  attempts = 0;
  readonly #options: MemoryTransportOptions;
  readonly #events: TransportEvents;
  readonly #channels: MemoryChannels;
  readonly #onDispose: () => void;
  #token: string | null = null;
  #isWanted = false;
  #link: MemoryLink | null = null;
  /** The newest attempt; what belongs to a former one is void. */
  #attempt = {};
  #failures = 0;
  /** Calls that wait for a connection. */
  #waiting: (() => void)[] = [];
  #cancels: (() => void)[] = [];

  constructor(options: MemoryTransportOptions, events: TransportEvents, onDispose: () => void) {
    this.#options = options;
    this.#events = events;
    this.#onDispose = onDispose;
    const close = (code: number, reason: string) => this.drop(code, reason, false);
    this.#channels = new MemoryChannels({ broker: options.broker, clock: options.clock, events, close });
  }

  connect(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#failures = 0;
    void this.#begin();
  }

  disconnect(): void {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#cut();
  }

  forgetToken(): void {
    this.#token = null;
  }

  join(channel: string, options: JoinOptions, events: ChannelEvents): () => void {
    return this.#channels.subscribe(channel, options, events);
  }

  probe(): Promise<void> {
    return this.#call(() => undefined);
  }

  networkChanged(isOnline: boolean): void {
    if (!isOnline) this.drop(CODE.transportClosed, 'transport closed', true);
    else if (this.#isWanted && !this.#link) void this.#begin();
  }

  publish(channel: string): Promise<void> {
    return this.#call(() => {
      throw new BrokerError(MemoryCode.permissionDenied, `permission denied (${channel})`);
    });
  }

  rpc(): Promise<unknown> {
    return this.#call(() => {
      throw new BrokerError(MemoryCode.notAvailable, 'not available');
    });
  }

  presence(channel: string): Promise<readonly PresentClient[]> {
    const { broker } = this.#options;
    return this.#call(() => broker.present(channel).map((userId, at) => ({ clientId: `client-${at}`, userId })));
  }

  async presenceStats(channel: string): Promise<PresenceStats> {
    const present = await this.presence(channel);
    return { clients: present.length, users: new Set(present.map(({ userId }) => userId)).size };
  }

  history(channel: string, { limit = 0, since, reverse = false }: HistoryOptions): Promise<ChannelHistory> {
    const { broker } = this.#options;
    return this.#call(() => {
      const position = broker.position(channel);
      const wanted = broker.history(channel).filter(({ offset }) => (offset ?? 0) > (since?.offset ?? 0));
      if (reverse) wanted.reverse();
      const publications = wanted.slice(0, limit).map(({ offset, data, tags }) => ({
        channel,
        position: offset === null ? null : { epoch: position.epoch, offset },
        recovered: false,
        tags,
        data,
      }));
      return { position, publications };
    });
  }

  dispose(): void {
    this.disconnect();
    this.#channels.clear();
    this.#onDispose();
  }

  get channels(): string[] {
    return this.#link ? this.#options.broker.channelsIn(this.#link.session) : [];
  }

  // ── faults ─────────────────────────────────────────────────────────────────

  halfOpen(): void {
    const { broker, clock } = this.#options;
    if (!this.#link) return;
    this.#link.wire.isHalfOpen = true;
    broker.close(this.#link.session);
    this.#cancels.push(clock.after(NO_PING_MS, () => this.drop(CODE.noPing, 'no ping', true)));
  }

  /** The connection is lost. `retry` as the code says. */
  drop(code: number, reason: string, retry: boolean): void {
    if (!this.#isWanted || (!this.#link && retry)) return;
    this.#isWanted = retry;
    if (code === MemoryCode.stateInvalidated) {
      this.#token = null;
      this.#channels.invalidate();
    }
    this.#cut();
    if (retry) {
      this.#events.connecting(code, reason);
      this.#retry();
    } else this.#events.disconnected(code, reason);
  }

  // ── connecting ─────────────────────────────────────────────────────────────

  async #begin(): Promise<void> {
    this.#cancelAll();
    const attempt = {};
    this.#attempt = attempt;
    const isCurrent = () => this.#isWanted && attempt === this.#attempt;
    const token = this.#token ?? (await this.#fetchToken(isCurrent));
    if (token === null || !isCurrent()) return;
    this.#token = token;
    this.attempts++;
    const { clock, latencyMs } = this.#options;
    clock.after(2 * latencyMs, () => {
      if (isCurrent()) this.#answered(token);
    });
  }

  /** What the broker makes of the connect command. */
  #answered(token: string): void {
    const { broker } = this.#options;
    const fault = broker.faultOf(token, null, null);
    if (broker.isUp && fault === null) this.#open(token);
    else if (broker.isUp && fault !== MemoryCode.tokenExpired) this.drop(fault ?? 0, 'invalid token', false);
    else {
      if (broker.isUp) this.#token = null;
      this.#events.failing(broker.isUp ? MemoryCode.tokenExpired : CODE.failed, 'the attempt failed');
      this.#retry();
    }
  }

  async #fetchToken(isCurrent: () => boolean): Promise<string | null> {
    try {
      return await this.#events.getToken();
    } catch (error) {
      if (!isCurrent()) return null;
      if (error instanceof UnauthorizedError) this.drop(CODE.unauthorized, 'unauthorized', false);
      else {
        this.#events.failing(CODE.tokenFailed, 'no token');
        if (!this.#link) this.#retry();
      }
      return null;
    }
  }

  #retry(): void {
    const { clock, random } = this.#options;
    const boundMs = Math.min(RETRY.maxMs, RETRY.minMs * 2 ** this.#failures++);
    const pauseMs = Math.min(RETRY.maxMs, RETRY.minMs + random() * boundMs);
    this.#cancels.push(clock.after(pauseMs, () => void this.#begin()));
  }

  #open(token: string): void {
    const { broker, clock, latencyMs, fate } = this.#options;
    const claims = readTokenClaims(token);
    const wire = new MemoryWire(clock, latencyMs);
    const channels = this.#channels;
    const session: MemorySession = {
      userId: claims?.userId ?? '',
      published: (channel, publication) => {
        const { copies, delayMs } = fate();
        for (let copy = 0; copy < copies; copy++) wire.down(() => channels.published(channel, publication), delayMs);
      },
      presenceChanged: (channel) => wire.down(() => channels.presenceChanged(channel)),
      unsubscribed: (channel, code) => wire.down(() => channels.unsubscribed(channel, code)),
      closed: (code, reason) => this.drop(code, reason, !isTerminal(code)),
    };
    this.#link = { session, wire };
    this.#failures = 0;
    broker.open(session);
    channels.open(this.#link, claims?.channels ?? new Set(), () => this.#events.connected());
    if (this.#link?.session !== session) return; // ended by whoever heard of it
    for (const ask of this.#waiting.splice(0)) ask();
    if (claims?.expiresAtSeconds) this.#refreshAt(claims.expiresAtSeconds * 1_000, session.userId);
  }

  #refreshAt(expiresAtMs: number, userId: string): void {
    const { broker, clock } = this.#options;
    const link = this.#link;
    const isCurrent = () => this.#link === link;
    const refresh = async () => {
      const listed = readTokenClaims(this.#token ?? '')?.channels;
      const token = await this.#fetchToken(isCurrent);
      if (token === null || !isCurrent()) return;
      this.#token = token;
      const claims = readTokenClaims(token);
      const fault = broker.faultOf(token, null, null);
      if (fault !== null || claims?.userId !== userId) {
        this.drop(fault ?? MemoryCode.invalidToken, 'invalid token', false);
        return;
      }
      const { channels, expiresAtSeconds } = claims;
      const isSame = listed?.size === channels.size && [...channels].every((name) => listed.has(name));
      if (!isSame) this.drop(MemoryCode.insufficientState, 'insufficient state', true);
      else if (expiresAtSeconds) this.#refreshAt(expiresAtSeconds * 1_000, userId);
    };
    this.#cancels.push(clock.after(expiresAtMs - clock.now(), () => void refresh()));
  }

  /** Ends the connection without a word about why. */
  #cut(): void {
    this.#attempt = {};
    this.#cancelAll();
    const link = this.#link;
    if (!link) return;
    this.#link = null;
    link.wire.cut();
    this.#options.broker.close(link.session);
    this.#channels.cut();
  }

  #cancelAll(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Waits for a connection, as the SDK's calls do, at most as long as for the answer. */
  #call<T>(answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(CALL_TIMEOUT_MS, () =>
        reject(new RealtimeError('timeout', 'The broker did not answer in time.')),
      );
      const settle = () => {
        cancel();
        try {
          resolve(answer());
        } catch (error) {
          reject(error);
        }
      };
      const ask = () => {
        const wire = this.#link?.wire;
        wire?.up(() => wire.down(settle));
      };
      if (this.#link) ask();
      else this.#waiting.push(ask);
    });
  }
}

function isTerminal(code: number): boolean {
  return (code >= 3_500 && code < 4_000) || (code >= 4_500 && code < 5_000);
}
