import { readTokenClaims } from '../client/token-claims.ts';
import type {
  ChannelEvents,
  JoinOptions,
  Transport,
  TransportEvents,
  TransportFactory,
  TransportPublication,
} from '../client/transport.ts';
import type { ChannelHistory, HistoryOptions, PresenceStats, PresentClient } from '../client/types.ts';
import type { Clock, Random } from '../core/clock.ts';
import { BrokerError, RealtimeError, UnauthorizedError } from '../core/errors.ts';
import type { Position } from '../core/position.ts';
import {
  type MemoryBroker,
  MemoryCode,
  type MemoryJoin,
  type MemorySession,
  type StoredPublication,
} from './memory-broker.ts';

const CALL_TIMEOUT_MS = 5_000;
/** Ping interval and what the SDK waits beyond it. */
const NO_PING_MS = 35_000;
const RETRY = { minMs: 500, maxMs: 20_000 } as const;
const CODE = { transportClosed: 1, noPing: 2, failed: 2, tokenFailed: 5, unauthorized: 1 } as const;

export interface MemoryTransportOptions {
  readonly broker: MemoryBroker;
  readonly clock: Clock;
  readonly random: Random;
  /** One way. */
  readonly latencyMs: number;
  /** What becomes of a publication on its way down: how often it arrives, and how much later. @default once, at once */
  readonly fate?: (channel: string) => { readonly copies: number; readonly delayMs: number };
}

interface Subscription {
  readonly channel: string;
  readonly options: JoinOptions;
  readonly events: ChannelEvents;
  token: string;
  position: Position | null;
  state: 'subscribing' | 'subscribed' | 'ended';
  /** Of the renewal to come. */
  cancelRenewal: () => void;
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
  readonly #onDispose: () => void;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #carried = new Map<string, Position | null>();
  #token: string | null = null;
  #isWanted = false;
  /** Counts connections, so that what belongs to a former one is void. */
  #generation = 0;
  #session: MemorySession | null = null;
  #isHalfOpen = false;
  #failures = 0;
  #lastDownMs = 0;
  /** Calls that wait for a connection. */
  #waiting: (() => void)[] = [];
  #cancelRetry: () => void = () => {};
  #cancelRefresh: () => void = () => {};
  #cancelNoPing: () => void = () => {};

  constructor(options: MemoryTransportOptions, events: TransportEvents, onDispose: () => void) {
    this.#options = options;
    this.#events = events;
    this.#onDispose = onDispose;
  }

  connect(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#failures = 0;
    void this.#attempt();
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
    const position = options.since ?? null;
    const subscription: Subscription = {
      channel,
      options,
      events,
      token: options.token,
      position,
      state: 'subscribing',
      cancelRenewal: () => {},
    };
    this.#subscriptions.set(channel, subscription);
    if (this.#session) this.#subscribe(subscription);
    return () => {
      subscription.state = 'ended';
      subscription.cancelRenewal();
      if (this.#subscriptions.get(channel) !== subscription) return;
      this.#subscriptions.delete(channel);
      this.#up((session) => {
        if (!this.#subscriptions.has(channel)) this.#options.broker.leave(session, channel);
      });
    };
  }

  probe(): Promise<void> {
    return this.#call(() => undefined);
  }

  networkChanged(isOnline: boolean): void {
    if (!isOnline) this.drop(CODE.transportClosed, 'transport closed', true);
    else if (this.#isWanted && !this.#session) void this.#attempt();
  }

  async publish(channel: string): Promise<void> {
    await this.#call(() => {
      throw new BrokerError(MemoryCode.permissionDenied, `permission denied (${channel})`);
    });
  }

  rpc(): Promise<unknown> {
    return this.#call(() => {
      throw new BrokerError(108, 'not available');
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
    this.#subscriptions.clear();
    this.#carried.clear();
    this.#onDispose();
  }

  // ── faults ─────────────────────────────────────────────────────────────────

  halfOpen(): void {
    if (!this.#session) return;
    this.#isHalfOpen = true;
    this.#options.broker.close(this.#session);
    this.#cancelNoPing = this.#options.clock.after(NO_PING_MS, () => this.drop(CODE.noPing, 'no ping', true));
  }

  /** The connection is lost. `retry` as the code says. */
  drop(code: number, reason: string, retry: boolean): void {
    if (!this.#isWanted || (!this.#session && retry)) return;
    this.#isWanted = retry;
    if (code === 3014) {
      this.#token = null;
      for (const subscription of this.#subscriptions.values()) {
        subscription.token = '';
        subscription.position = { epoch: '_', offset: 0 };
      }
    }
    this.#cut();
    if (retry) {
      this.#events.connecting(code, reason);
      this.#retry();
    } else this.#events.disconnected(code, reason);
  }

  // ── connecting ─────────────────────────────────────────────────────────────

  async #attempt(): Promise<void> {
    this.#cancelRetry();
    const generation = ++this.#generation;
    const isCurrent = () => this.#isWanted && generation === this.#generation;
    const token = this.#token ?? (await this.#fetchToken(isCurrent));
    if (token === null || !isCurrent()) return;
    this.#token = token;
    this.attempts++;
    const { broker, clock, latencyMs } = this.#options;
    clock.after(2 * latencyMs, () => {
      if (!isCurrent()) return;
      if (!broker.isUp) {
        this.#events.failing(CODE.failed, 'transport closed');
        return this.#retry();
      }
      const fault = broker.faultOf(token, null, null);
      if (fault === null) return this.#open(token);
      if (fault !== MemoryCode.tokenExpired) return this.drop(fault, 'invalid token', false);
      this.#token = null;
      this.#events.failing(fault, 'token expired');
      this.#retry();
    });
  }

  async #fetchToken(isCurrent: () => boolean): Promise<string | null> {
    try {
      return await this.#events.getToken();
    } catch (error) {
      if (!isCurrent()) return null;
      if (error instanceof UnauthorizedError) this.drop(CODE.unauthorized, 'unauthorized', false);
      else {
        this.#events.failing(CODE.tokenFailed, 'no token');
        this.#retry();
      }
      return null;
    }
  }

  #retry(): void {
    const { clock, random } = this.#options;
    const boundMs = Math.min(RETRY.maxMs, RETRY.minMs * 2 ** this.#failures++);
    this.#cancelRetry();
    this.#cancelRetry = clock.after(
      Math.min(RETRY.maxMs, RETRY.minMs + random() * boundMs),
      () => void this.#attempt(),
    );
  }

  #open(token: string): void {
    const { broker } = this.#options;
    const claims = readTokenClaims(token);
    const session: MemorySession = {
      userId: claims?.userId ?? '',
      published: (channel, publication) => this.#published(channel, publication),
      presenceChanged: (channel) => this.#down(() => this.#presenceChanged(channel)),
      unsubscribed: (channel, code) => this.#down(() => this.#unsubscribed(channel, code)),
      closed: (code, reason) => this.drop(code, reason, !isTerminal(code)),
    };
    this.#session = session;
    this.#failures = 0;
    broker.open(session);
    const joins = [...(claims?.channels ?? [])].map((channel) => ({
      channel,
      join: broker.join(session, channel, this.#carried.get(channel) ?? null),
    }));
    // One turn, in the order of the SDK: connected, all joins, then all that was missed.
    this.#events.connected();
    for (const { channel, join } of joins) {
      this.#carried.set(channel, join.position);
      this.#events.connectionChannel(channel).joined(join);
    }
    for (const { channel, join } of joins)
      for (const publication of join.publications) this.#deliver(channel, publication, true);
    for (const channel of [...this.#carried.keys()])
      if (!claims?.channels.has(channel)) {
        this.#carried.delete(channel);
        this.#events.connectionChannel(channel).ended(null, 'unsubscribed');
      }
    for (const subscription of this.#subscriptions.values()) this.#subscribe(subscription);
    for (const ask of this.#waiting.splice(0)) ask();
    if (claims?.expiresAtSeconds) this.#refreshAt(claims.expiresAtSeconds * 1_000, session.userId);
  }

  #refreshAt(expiresAtMs: number, userId: string): void {
    const { broker, clock } = this.#options;
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation && this.#session !== null;
    this.#cancelRefresh = clock.after(expiresAtMs - clock.now(), async () => {
      const listed = readTokenClaims(this.#token ?? '')?.channels;
      const token = await this.#fetchToken(isCurrent);
      if (token === null || !isCurrent()) return;
      this.#token = token;
      const claims = readTokenClaims(token);
      const fault = broker.faultOf(token, null, null);
      if (fault !== null || claims?.userId !== userId)
        return this.drop(fault ?? MemoryCode.invalidToken, 'invalid token', false);
      const isSame =
        listed && listed.size === claims.channels.size && [...listed].every((name) => claims.channels.has(name));
      if (!isSame) this.drop(MemoryCode.insufficientState, 'insufficient state', true);
      else if (claims.expiresAtSeconds) this.#refreshAt(claims.expiresAtSeconds * 1_000, userId);
    });
  }

  /** Ends the connection without a word about why. */
  #cut(): void {
    this.#generation++;
    this.#cancelRetry();
    this.#cancelRefresh();
    this.#cancelNoPing();
    this.#isHalfOpen = false;
    const { broker } = this.#options;
    if (!this.#session) return;
    broker.close(this.#session);
    this.#session = null;
    for (const subscription of [...this.#subscriptions.values()]) {
      if (subscription.state !== 'subscribed') continue;
      subscription.state = 'subscribing';
      subscription.cancelRenewal();
      subscription.events.dropped();
    }
    for (const channel of [...this.#carried.keys()]) this.#events.connectionChannel(channel).dropped();
  }

  // ── channels ───────────────────────────────────────────────────────────────

  #subscribe(subscription: Subscription): void {
    const { broker } = this.#options;
    const { channel } = subscription;
    const isWaiting = () => subscription.state === 'subscribing' && this.#subscriptions.get(channel) === subscription;
    this.#up((session) => {
      if (!isWaiting()) return;
      const fault =
        subscription.token === ''
          ? MemoryCode.tokenExpired
          : broker.faultOf(subscription.token, channel, session.userId);
      if (fault === MemoryCode.tokenExpired) return void this.#renew(subscription);
      if (fault === MemoryCode.invalidToken) return this.#down(() => this.drop(fault, 'invalid token', false));
      if (fault !== null) return this.#down(() => isWaiting() && this.#end(subscription, fault, 'permission denied'));
      const join = broker.join(session, channel, subscription.position);
      this.#down(() => isWaiting() && this.#joined(subscription, join));
    });
  }

  #joined(subscription: Subscription, join: MemoryJoin): void {
    subscription.state = 'subscribed';
    subscription.position = join.position;
    subscription.events.joined(join);
    for (const publication of join.publications) this.#deliver(subscription.channel, publication, true);
    this.#renewLater(subscription);
  }

  #renewLater(subscription: Subscription): void {
    const { clock } = this.#options;
    const expiresAtSeconds = readTokenClaims(subscription.token)?.expiresAtSeconds;
    if (!expiresAtSeconds) return;
    subscription.cancelRenewal();
    subscription.cancelRenewal = clock.after(expiresAtSeconds * 1_000 - clock.now(), () => {
      if (subscription.state === 'subscribed') void this.#renew(subscription);
    });
  }

  async #renew(subscription: Subscription): Promise<void> {
    const generation = this.#generation;
    try {
      subscription.token = await subscription.options.renewToken();
    } catch {
      if (subscription.state !== 'ended') this.#end(subscription, CODE.unauthorized, 'unauthorized');
      return;
    }
    if (generation !== this.#generation) return;
    if (subscription.state === 'subscribing') this.#subscribe(subscription);
    else this.#renewLater(subscription);
  }

  #end(subscription: Subscription, code: number, reason: string): void {
    subscription.state = 'ended';
    subscription.cancelRenewal();
    if (this.#subscriptions.get(subscription.channel) === subscription)
      this.#subscriptions.delete(subscription.channel);
    if (this.#session) this.#options.broker.leave(this.#session, subscription.channel);
    subscription.events.ended(code, reason);
  }

  #unsubscribed(channel: string, code: number): void {
    const subscription = this.#subscriptions.get(channel);
    if (subscription) this.#end(subscription, code, 'server unsubscribe');
    else if (this.#carried.delete(channel)) this.#events.connectionChannel(channel).ended(null, 'unsubscribed');
  }

  #presenceChanged(channel: string): void {
    const subscription = this.#subscriptions.get(channel);
    if (subscription) subscription.events.presenceChanged();
    else if (this.#carried.has(channel)) this.#events.connectionChannel(channel).presenceChanged();
  }

  #published(channel: string, publication: StoredPublication): void {
    const { copies, delayMs } = this.#options.fate?.(channel) ?? { copies: 1, delayMs: 0 };
    for (let copy = 0; copy < copies; copy++) this.#down(() => this.#deliver(channel, publication, false), delayMs);
  }

  #deliver(channel: string, { offset, data, tags }: StoredPublication, recovered: boolean): void {
    const publication: TransportPublication = { offset, data, tags, recovered };
    const subscription = this.#subscriptions.get(channel);
    if (subscription) {
      if (subscription.state !== 'subscribed') return;
      if (subscription.position && offset !== null) subscription.position = { ...subscription.position, offset };
      subscription.events.published(publication);
      return;
    }
    const position = this.#carried.get(channel);
    if (position && offset !== null) this.#carried.set(channel, { ...position, offset });
    if (this.#carried.has(channel)) this.#events.connectionChannel(channel).published(publication);
  }

  // ── the wire: order is kept both ways ──────────────────────────────────────

  #up(run: (session: MemorySession) => void): void {
    const generation = this.#generation;
    const session = this.#session;
    if (!session || this.#isHalfOpen) return;
    this.#options.clock.after(this.#options.latencyMs, () => {
      if (generation === this.#generation && !this.#isHalfOpen) run(session);
    });
  }

  #down(run: () => void, delayMs = 0): void {
    const { clock, latencyMs } = this.#options;
    const generation = this.#generation;
    this.#lastDownMs = Math.max(this.#lastDownMs, clock.now() + latencyMs + delayMs);
    clock.after(this.#lastDownMs - clock.now(), () => {
      if (generation === this.#generation && !this.#isHalfOpen) run();
    });
  }

  /** Waits for a connection, as the SDK's calls do, at most as long as for the answer. */
  #call<T>(answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(CALL_TIMEOUT_MS, () =>
        reject(new RealtimeError('timeout', 'The broker did not answer in time.')),
      );
      const ask = () =>
        this.#up(() =>
          this.#down(() => {
            cancel();
            try {
              resolve(answer());
            } catch (error) {
              reject(error);
            }
          }),
        );
      if (this.#session) ask();
      else this.#waiting.push(ask);
    });
  }
}

function isTerminal(code: number): boolean {
  return (code >= 3_500 && code < 4_000) || (code >= 4_500 && code < 5_000);
}
