import { systemClock } from '../core/clock.ts';
import { ConfigError, DisconnectedError, type RealtimeError } from '../core/errors.ts';
import type { ManagerEvent } from '../core/events.ts';
import { assertMessage, type Message } from '../core/message.ts';
import type { Observers } from '../core/observers.ts';
import { enterSource } from '../core/sources.ts';
import { BrokerCode } from './broker-codes.ts';
import { createCentrifugeTransport } from './centrifuge-transport.ts';
import { ChannelRegistry } from './channel-registry.ts';
import { attemptFailure, connectionEnd, dropReason } from './connection-end.ts';
import { type ManagerSource, type ObservedManager, toManagerSource } from './connection-snapshot.ts';
import { type ConnectionEvent, nextConnectionState } from './connection-state.ts';
import { ConnectionToken } from './connection-token.ts';
import { checkSize } from './data-size.ts';
import { GrantBook } from './grant-book.ts';
import { Liveness } from './liveness.ts';
import type { Transport } from './transport.ts';
import type {
  ChannelGrant,
  ChannelHistory,
  ConnectionState,
  HistoryOptions,
  MessageHandler,
  PresenceStats,
  PresentClient,
  RealtimeConfig,
  SubscribeOptions,
  Unsubscribe,
} from './types.ts';
import { isPageVisible, watchResume } from './watch-resume.ts';

/** As the SDK has it. */
const DEFAULT_RETRY = { minMs: 500, maxMs: 20_000 };

/** What the connection needs of the manager around it. */
export interface ConnectionHost {
  /** Read anew at every use: `initialize` may replace the callbacks. */
  readonly config: RealtimeConfig;
  readonly messageHandlers: ReadonlySet<MessageHandler>;
  readonly observers: Observers<ManagerEvent>;
  /** The manager itself, for tools that look at it. */
  readonly manager: ObservedManager;
  setStatus(state: ConnectionState, reason: RealtimeError | null): void;
  report(error: RealtimeError): void;
}

/** The part of a manager that is loaded by the first need of a connection: when to be connected, and in which state it is. */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #token: ConnectionToken;
  readonly #grants: GrantBook;
  readonly #channels: ChannelRegistry;
  readonly #liveness: Liveness;
  readonly #stopWatching: () => void;
  /** Held here, and only here. */
  readonly #source: ManagerSource;
  readonly #leaveSources: () => void;
  #transport: Transport | null = null;
  #retireTransport: () => void = () => {};
  /** Whether the transport was told to connect. */
  #isOpen = false;
  #state: ConnectionState = 'idle';
  #reason: RealtimeError | null = null;
  /** Registrations and calls under way. */
  #needs = 0;
  #cancelGrace: (() => void) | null = null;
  #cancelLate: (() => void) | null = null;

  constructor(host: ConnectionHost) {
    this.#host = host;
    const { config } = host;
    const clock = this.#clock;
    const report = (error: RealtimeError) => host.report(error);
    const tokenTimeoutMs = config.tokenTimeoutMs ?? 15_000;
    this.#token = new ConnectionToken({
      clock,
      timeoutMs: tokenTimeoutMs,
      report,
      getToken: () => host.config.getToken(),
      onToken: (token, isOtherUser) => this.#adoptToken(token, isOtherUser),
    });
    this.#grants = new GrantBook({
      clock,
      random: config.random ?? Math.random,
      retry: config.retry ?? DEFAULT_RETRY,
      tokenTimeoutMs,
      report,
      getChannelTokens: () => host.config.getChannelTokens,
    });
    this.#channels = new ChannelRegistry(this.#registryHost(), this.#grants);
    this.#liveness = new Liveness({
      clock,
      probeTimeoutMs: config.probeTimeoutMs ?? 4_000,
      probe: () => this.#transport?.probe() ?? Promise.resolve(),
      isVisible: isPageVisible,
      onDead: () => this.#replaceSocket(),
    });
    const listener = {
      network: (isOnline: boolean) => {
        this.#transport?.networkChanged(isOnline);
        if (isOnline) this.#liveness.check();
      },
      resumed: () => this.#liveness.check(),
    };
    this.#stopWatching = watchResume(listener, () => clock.now());
    this.#source = this.#toSource();
    this.#leaveSources = enterSource(this.#source);
    // What made the manager load this is a need, even where it has gone meanwhile: then the grace begins now.
    this.#fire('need', null);
    this.#needs = 1;
    clock.after(0, () => this.#release());
  }

  subscribe(channel: string, handler: MessageHandler, options: SubscribeOptions): Unsubscribe {
    this.#need();
    return this.#channels.subscribe(channel, handler, options, () => {
      this.#release();
      // A moment later: React's StrictMode ends and begins a subscription in one go.
      this.#clock.after(0, () => this.#channels.leaveUnwanted());
    });
  }

  addGrant(grant: ChannelGrant): void {
    this.#channels.addGrant(grant);
  }

  isConnectionChannel(channel: string): boolean {
    return this.#channels.isConnectionChannel(channel);
  }

  /** Begins anew with a fresh token, also after `unauthorized` and `failed`. */
  reconnect(): void {
    if (this.#state === 'disposed') return;
    if (this.#state === 'failed' || this.#state === 'unauthorized') {
      // What made the broker refuse the connection may have been a grant: none of them is used again.
      this.#grants.clear();
      this.#channels.detachAll();
    }
    this.#channels.permitAll();
    this.#fire('retry', null);
    this.#isOpen = false;
    this.#transport?.forgetToken();
    this.#transport?.disconnect();
    if (this.#needs > 0) this.#connect();
  }

  async publish(channel: string, message: Message): Promise<void> {
    const data = checkSize(assertMessage(message));
    return this.#call((transport) => transport.publish(channel, data));
  }

  async rpc(method: string, data: unknown): Promise<unknown> {
    checkSize(data);
    return this.#call((transport) => transport.rpc(method, data));
  }

  presence(channel: string): Promise<readonly PresentClient[]> {
    return this.#call((transport) => transport.presence(channel));
  }

  presenceStats(channel: string): Promise<PresenceStats> {
    return this.#call((transport) => transport.presenceStats(channel));
  }

  history(channel: string, options: HistoryOptions): Promise<ChannelHistory> {
    return this.#call((transport) => transport.history(channel, options));
  }

  dispose(): void {
    this.#fire('dispose', null);
    this.#stopWatching();
    this.#leaveSources();
    this.#cancelGrace?.();
    this.#grants.dispose();
    this.#retireTransport();
    this.#transport = null;
    this.#channels.close();
  }

  get #clock() {
    return this.#host.config.clock ?? systemClock;
  }

  #toSource(): ManagerSource {
    return toManagerSource(this.#host.manager, this.#clock, {
      config: () => this.#host.config,
      claims: () => this.#token.claims,
      channels: () => this.#channels.inspect(),
      probe: () => (this.#state === 'connected' && this.#transport?.probe()) || null,
    });
  }

  #registryHost() {
    const connection = this;
    return {
      get config() {
        return connection.#host.config;
      },
      get transport() {
        return connection.#transport;
      },
      get claims() {
        return connection.#token.claims;
      },
      messageHandlers: connection.#host.messageHandlers,
      observers: connection.#host.observers,
      now: () => connection.#clock.now(),
      report: (error: RealtimeError) => connection.#host.report(error),
    };
  }

  // ── need and release ───────────────────────────────────────────────────────

  #need(): void {
    this.#needs++;
    this.#cancelGrace?.();
    this.#cancelGrace = null;
    if (!this.#isOpen) this.#connect();
  }

  #release(): void {
    if (--this.#needs > 0 || this.#state === 'disposed') return;
    this.#cancelGrace?.();
    this.#cancelGrace = this.#clock.after(this.#host.config.disconnectGraceMs ?? 5_000, () => {
      this.#cancelGrace = null;
      this.#fire('release', null);
      if (this.#state !== 'idle') return;
      this.#isOpen = false;
      this.#transport?.disconnect();
      this.#channels.leaveUnwanted();
    });
  }

  async #call<T>(run: (transport: Transport) => Promise<T>): Promise<T> {
    this.#need();
    try {
      const transport = this.#transport;
      if (!transport || this.#state === 'unauthorized' || this.#state === 'failed')
        throw this.#reason ?? new DisconnectedError('There is no connection now; `status` tells why.');
      return await run(transport);
    } finally {
      this.#release();
    }
  }

  // ── the transport ──────────────────────────────────────────────────────────

  #connect(): void {
    this.#isOpen = true;
    this.#fire('need', null);
    if (this.#state === 'disposed') return; // by a status listener
    try {
      this.#transport ??= this.#createTransport();
      this.#transport.connect();
    } catch (cause) {
      // The SDK throws for what no retry can mend, such as a platform without a WebSocket.
      const error = new ConfigError(
        'The connection cannot be opened here. Is there a WebSocket? Else pass `websocket`.',
        {
          cause,
        },
      );
      this.#host.report(error);
      this.#fire('fail', error);
    }
  }

  #createTransport(): Transport {
    const {
      wsUrl,
      websocket,
      timeoutMs = 5_000,
      transport = createCentrifugeTransport,
      retry = DEFAULT_RETRY,
    } = this.#host.config;
    let isCurrent = true;
    const created = transport(
      { wsUrl, websocket, timeoutMs, retry },
      {
        connected: () => isCurrent && this.#connected(),
        connecting: (code, reason) => isCurrent && this.#dropped(code, reason),
        failing: (code, reason) => isCurrent && this.#failing(code, reason),
        disconnected: (code, reason) => isCurrent && this.#disconnected(code, reason),
        connectionChannel: (channel) => this.#channels.connectionChannel(channel),
        getToken: () => this.#token.get(),
      },
    );
    this.#retireTransport = () => {
      isCurrent = false;
      created.dispose();
    };
    return created;
  }

  #connected(): void {
    this.#fire('open', null);
    queueMicrotask(() => {
      if (this.#state === 'connected') this.#channels.settle();
    });
  }

  /** Lost; the transport is trying again. */
  #dropped(code: number, reason: string): void {
    if (code === 0) return; // our own connect()
    if (code === BrokerCode.StateInvalidated) this.#grants.clear();
    this.#fire('drop', this.#token.fault ?? dropReason(code, reason));
  }

  #failing(code: number, reason: string): void {
    const error = attemptFailure(code, reason);
    if (this.#state !== 'connected') this.#fire('drop', this.#token.fault ?? error);
    else if (!this.#token.fault) this.#host.report(error);
  }

  /** Over for good. */
  #disconnected(code: number, reason: string): void {
    if (code === 0) return; // our own disconnect()
    const end = connectionEnd(code, reason, this.#token.fault);
    if (!end.isOrdinary) this.#host.report(end.reason);
    this.#fire(end.event, end.reason);
  }

  /** The socket is dead without knowing it. Positions are kept: the new one recovers. */
  #replaceSocket(): void {
    this.#fire('drop', new DisconnectedError('The connection did not answer after a pause; it is made anew.'));
    this.#transport?.disconnect();
    this.#transport?.connect();
  }

  #adoptToken(token: string, isOtherUser: boolean): void {
    this.#grants.setIdentity(this.#token.claims);
    this.#channels.adoptToken(isOtherUser);
    if (!isOtherUser || this.#state !== 'connected') return;
    // The broker takes no other user's token on a live connection (3500, for good). After this turn, as the transport waits for its answer.
    this.#token.spare(token);
    queueMicrotask(() => {
      if (this.#state === 'disposed') return;
      this.#fire('drop', new DisconnectedError('The token is for another user; the connection is made anew.'));
      this.#retireTransport();
      this.#transport = null;
      this.#channels.forgetTransport();
      this.#connect();
    });
  }

  #fire(event: ConnectionEvent, reason: RealtimeError | null): void {
    const next = nextConnectionState(this.#state, event);
    const isNews = next !== this.#state || (reason !== null && reason.message !== this.#reason?.message);
    if (!isNews || (next === this.#state && (next === 'connected' || next === 'idle' || next === 'disposed'))) return;
    this.#state = next;
    this.#reason = next === 'connected' || next === 'idle' || next === 'disposed' ? null : (reason ?? this.#reason);
    if (next === 'connecting' || next === 'reconnecting')
      this.#cancelLate ??= this.#clock.after(this.#host.config.pollingAfterMs ?? 30_000, () => {
        this.#cancelLate = null;
        this.#fire('late', null);
      });
    else {
      this.#cancelLate?.();
      this.#cancelLate = null;
    }
    if (next === 'connected') this.#liveness.start();
    else {
      this.#liveness.stop();
      this.#channels.unsettle();
    }
    this.#host.setStatus(next, this.#reason);
  }
}
