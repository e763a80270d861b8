import { systemClock } from '../core/clock.ts';
import type { ManagerEvent, RealtimeObserver } from '../core/events.ts';
import type { Message } from '../core/message.ts';
import { observe } from '../core/observers.ts';
import { RealtimeError } from '../core/realtime-error.ts';
import {
  AlreadyInitializedError,
  ConfigError,
  InvalidChannelError,
  NotInitializedError,
} from '../core/usage-errors.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import type {
  ChannelGrant,
  ChannelHistory,
  ConnectionState,
  HistoryOptions,
  MessageHandler,
  PresenceStats,
  PresentClient,
  RealtimeClient,
  RealtimeConfig,
  RealtimeStatus,
  SubscribeOptions,
  Unsubscribe,
  WebSocketConstructor,
} from './types.ts';

/** The default instance outlives hot reloads of this module, so it hangs on `globalThis`. */
const SLOT = Symbol.for('@op/realtime.manager');
const slot = globalThis as { [SLOT]?: RealtimeManager | undefined };

/** The lazily loaded part. */
export interface ClientParts {
  readonly Connection: new (host: ConnectionHost) => Connection;
  readonly websocket?: WebSocketConstructor | undefined;
}

/**
 * A connection to the broker and the channels on it. This part is small; the rest, `centrifuge` included, is loaded by the first subscription.
 * Making one opens no socket, so that server rendering may do it; a subscription opens one, in Node too.
 *
 * ```ts
 * RealtimeManager.initialize({ wsUrl, getToken });
 * const unsubscribe = RealtimeManager.getInstance().subscribe('trpc:user:123', (message) => {});
 * ```
 */
export class RealtimeManager implements RealtimeClient {
  #config: RealtimeConfig;
  #status: RealtimeStatus;
  readonly #listeners = new Set<(status: RealtimeStatus) => void>();
  readonly #messageHandlers = new Set<MessageHandler>();
  readonly #observers = new Set<RealtimeObserver<ManagerEvent>>();
  /** Grants that came before anything needed a connection. */
  readonly #grants = new Map<string, ChannelGrant>();
  #connection: Connection | null = null;
  #loading: Promise<Connection> | null = null;

  /**
   * Makes the default instance. Again with the same `wsUrl`, it returns that instance, which takes the new callbacks.
   * @throws AlreadyInitializedError (`already_initialized`) with another `wsUrl`, until `dispose()`
   * @throws ConfigError (`invalid_config`)
   */
  static initialize(config: RealtimeConfig): RealtimeManager {
    slot[SLOT]?.configure(config);
    slot[SLOT] ??= new this(config);
    return slot[SLOT];
  }

  /**
   * The default instance.
   * @throws NotInitializedError (`not_initialized`)
   */
  static getInstance(): RealtimeManager {
    const current = slot[SLOT];
    if (current) return current;
    throw new NotInitializedError();
  }

  /** @throws ConfigError (`invalid_config`) */
  constructor(config: RealtimeConfig) {
    if (!/^wss?:\/\/./.test(config.wsUrl))
      throw new ConfigError(
        `wsUrl must begin with ws:// or wss://${config.wsUrl ? '' : ', got nothing. Is NEXT_PUBLIC_CENTRIFUGO_WS_URL set?'}`,
      );
    if (typeof config.getToken !== 'function')
      throw new ConfigError(`getToken must be a function, got ${typeof config.getToken}.`);
    this.#config = config;
    this.#status = { state: 'idle', since: this.#now(), reason: null };
  }

  /**
   * Replaces the callbacks.
   * @throws AlreadyInitializedError (`already_initialized`) where the `wsUrl` is another one
   */
  configure(config: RealtimeConfig): void {
    if (config.wsUrl !== this.#config.wsUrl) throw new AlreadyInitializedError();
    this.#config = { ...this.#config, ...config };
  }

  get status(): RealtimeStatus {
    return this.#status;
  }

  onStatus(listener: (status: RealtimeStatus) => void): Unsubscribe {
    // A function of its own, so that the same listener twice is two registrations.
    const own = (status: RealtimeStatus) => listener(status);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * Listens to a channel; connects if need be. The same handler twice is two registrations.
   * Without `onLoss` a refusal goes to `onError`.
   * @throws InvalidChannelError (`invalid_channel`) for an empty name or one over 255 bytes
   * @throws RealtimeError (`disposed`)
   */
  subscribe(channel: string, handler: MessageHandler, options: SubscribeOptions = {}): Unsubscribe {
    if (!channel || channel.length > 255)
      throw new InvalidChannelError(`A channel name has 1 to 255 bytes, got ${channel?.length}.`);
    this.#assertAlive();
    let isEnded = false;
    let end: Unsubscribe | undefined;
    const begin = (connection: Connection) => {
      if (!isEnded) end = connection.subscribe(channel, handler, options);
    };
    if (this.#connection) begin(this.#connection);
    else this.#load().then(begin, () => {}); // rejects only where the manager was disposed of meanwhile
    return () => {
      if (isEnded) return;
      isEnded = true;
      end?.();
    };
  }

  onMessage(handler: MessageHandler): Unsubscribe {
    const own: MessageHandler = (message, publication) => handler(message, publication);
    this.#messageHandlers.add(own);
    return () => this.#messageHandlers.delete(own);
  }

  /** Tells what happens on the connection and its channels; see `RealtimeEvent`. Costs nothing while nobody observes. */
  observe(observer: RealtimeObserver<ManagerEvent>): Unsubscribe {
    const end = observe(this.#observers, observer);
    const endStatus = this.onStatus(({ state, reason }) =>
      observer({ type: 'status', at: this.#now(), state, code: reason?.code ?? null, reason: reason?.message ?? null }),
    );
    return () => {
      end();
      endStatus();
    };
  }

  addGrant(grant: ChannelGrant): void {
    if (this.#connection) this.#connection.addGrant(grant);
    else this.#grants.set(grant.channel, grant);
  }

  isConnectionChannel(channel: string): boolean {
    return this.#connection?.isConnectionChannel(channel) ?? false;
  }

  /** Begins anew with a fresh token: after a login, and to leave `unauthorized` or `failed`. */
  reconnect(): void {
    this.#connection?.reconnect();
  }

  /**
   * Publishes from the client, where the namespace allows it.
   * @throws BrokerError (`broker_error`) 103 where it does not, 102 for an unknown namespace; InvalidMessageError; `timeout`; `disconnected`
   */
  async publish(channel: string, message: Message): Promise<void> {
    return (await this.#load()).publish(channel, message);
  }

  /**
   * Calls the application through the broker's RPC proxy.
   * @throws BrokerError (`broker_error`) 108 where there is none; InvalidMessageError for more than 63 KiB; `timeout`; `disconnected`
   */
  async rpc(method: string, data?: unknown): Promise<unknown> {
    return (await this.#load()).rpc(method, data);
  }

  /** Who is in the channel. @throws BrokerError (`broker_error`) 103 or 108 where the namespace does not allow it */
  async presence(channel: string): Promise<readonly PresentClient[]> {
    return (await this.#load()).presence(channel);
  }

  /** How many are in the channel. @throws BrokerError (`broker_error`) 103 or 108 where the namespace does not allow it */
  async presenceStats(channel: string): Promise<PresenceStats> {
    return (await this.#load()).presenceStats(channel);
  }

  /** The channel's position and past publications. @throws BrokerError (`broker_error`) 103 or 108 where the namespace does not allow it */
  async history(channel: string, options: HistoryOptions = {}): Promise<ChannelHistory> {
    return (await this.#load()).history(channel, options);
  }

  /** Ends everything: subscriptions, timers, the socket. `initialize` may be called again. */
  dispose(): void {
    if (slot[SLOT] === this) slot[SLOT] = undefined;
    this.#connection?.dispose();
    this.#setStatus('disposed', null);
    this.#listeners.clear();
    this.#messageHandlers.clear();
    this.#observers.clear();
    this.#grants.clear();
  }

  /** What the first need of a connection loads. Platforms without a WebSocket of their own bring one here. */
  protected loadParts(): Promise<ClientParts> {
    return import('./connection.ts');
  }

  #load(): Promise<Connection> {
    this.#assertAlive();
    if (!this.#loading) {
      this.#setStatus('connecting', null);
      this.#loading = this.#open(0);
    }
    return this.#loading;
  }

  async #open(attempt: number): Promise<Connection> {
    try {
      const { Connection, websocket } = await this.loadParts();
      this.#assertAlive();
      this.#config = { ...this.#config, websocket: this.#config.websocket ?? websocket };
      this.#connection = new Connection(this.#host());
      for (const grant of this.#grants.values()) this.#connection.addGrant(grant);
      this.#grants.clear();
      return this.#connection;
    } catch (cause) {
      this.#assertAlive();
      // Offline, or a new deployment replaced the file.
      const reason = new RealtimeError('disconnected', 'The client could not be loaded; it is tried again.', {
        cause,
      });
      this.#report(reason);
      this.#setStatus('reconnecting', reason);
      const { clock = systemClock, random = Math.random } = this.#config;
      await new Promise<void>((resolve) => clock.after(random() * Math.min(20_000, 1_000 * 2 ** attempt), resolve));
      return this.#open(attempt + 1);
    }
  }

  #host(): ConnectionHost {
    const manager = this;
    return {
      get config() {
        return manager.#config;
      },
      messageHandlers: this.#messageHandlers,
      observers: this.#observers,
      manager,
      setStatus: (state, reason) => manager.#setStatus(state, reason),
      report: (error) => manager.#report(error),
    };
  }

  #setStatus(state: ConnectionState, reason: RealtimeError | null): void {
    const last = this.#status;
    if (state === last.state && reason === last.reason) return;
    this.#status = { state, since: state === last.state ? last.since : this.#now(), reason };
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#status);
      } catch (cause) {
        this.#report(new RealtimeError('handler_failed', 'A status listener threw.', { cause }));
      }
    }
  }

  #report(error: RealtimeError): void {
    try {
      (this.#config.onError ?? console.error)(error);
    } catch (fault) {
      console.error('[@op/realtime] onError threw.', fault, error);
    }
  }

  #assertAlive(): void {
    if (this.#status.state === 'disposed') throw new RealtimeError('disposed', 'This manager was disposed.');
  }

  #now(): number {
    return (this.#config.clock ?? systemClock).now();
  }
}
