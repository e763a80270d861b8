import type { ByteString } from '../protocol/byte-string.ts';
import {
  type Disconnect,
  Disconnects,
  type ReplyError,
  ReplyErrors,
  type Unsubscribe,
  Unsubscribes,
} from '../protocol/codes.ts';
import type { ClientInfo, Command, ConnectRequest, Push, Reply } from '../protocol/schema.ts';
import { handleConnect } from './commands/connect.ts';
import { handleCommand } from './commands/dispatch.ts';
import { NO_SLOT, type Waiter } from './deadlines.ts';
import type { Engine } from './engine.ts';
import type { Peer } from './peer.ts';
import { renewConnection } from './renewal.ts';
import { type ClientEvent, ON_CLIENT, ON_SERVER, type SessionState } from './session-state.ts';
import type { Subscription } from './subscription.ts';
import { lookAfterSubscriptions } from './subscription-round.ts';

/** What a unidirectional client, which gets no replies, is told instead of an error. */
const UNIDIRECTIONAL_REFUSALS: ReadonlyMap<number, Disconnect> = new Map<number, Disconnect>([
  [ReplyErrors.Expired.code, Disconnects.Expired],
  [ReplyErrors.TokenExpired.code, Disconnects.Expired],
  [ReplyErrors.TooManyRequests.code, Disconnects.TooManyRequests],
  [ReplyErrors.PermissionDenied.code, Disconnects.PermissionDenied],
]);

const NEVER = Number.POSITIVE_INFINITY;
const NO_SUBSCRIPTIONS: ReadonlyMap<string, Subscription> = new Map();

/** One client, from the first byte to the last. Commands change it, timers watch over it, the engine pushes into it. */
export class Session implements Waiter {
  readonly engine: Engine;
  readonly peer: Peer;
  readonly id: string;
  /** Known to the client alone, where commands come by other requests; '' elsewhere. */
  readonly sessionId: string;
  user = '';
  /** JSON shown to others as `conn_info`. */
  info: ByteString | undefined = undefined;
  /** JSON of the token's `meta` claim, for the application alone. */
  meta: ByteString | undefined = undefined;
  /** Headers of the connect command, by name in lower case; only those that some proxy passes on. */
  emulatedHeaders: ReadonlyMap<string, string> | undefined = undefined;
  /** Whether the client told a name (1) and a version (2), for the metrics. */
  introduction = 0;
  /** Unix time in seconds; 0 for never. */
  expireAt = 0;
  /** The client refreshes the connection with a token; otherwise the application does. */
  isClientRefreshed = true;
  slot = NO_SLOT;
  #state: SessionState = 'waiting';
  #subscriptions = NO_SUBSCRIPTIONS as Map<string, Subscription>;
  /** Commands that wait because others wait for the application, and the size of the frames that they came in. */
  #backlog: Command[] | undefined = undefined;
  #backlogBytes = 0;
  /** Made for the first call of the application. */
  #leaving: AbortController | undefined = undefined;
  #isBroken = false;
  #running = 0;
  #awaitsPong = false;
  #pingAtMs = NEVER;
  #pongAtMs = NEVER;
  #roundAtMs = NEVER;
  /** Closes a client that did not connect in time, that was refused and stays, or whose time is up. */
  #closeAtMs: number;
  /** When a client that has not connected is closed for good. */
  readonly #staleAtMs: number;

  constructor(engine: Engine, peer: Peer) {
    this.engine = engine;
    this.peer = peer;
    this.id = engine.surroundings.newClientId();
    this.sessionId = peer.isEmulation || peer.isUnidirectional ? engine.surroundings.newClientId() : '';
    this.#staleAtMs = this.#closeAtMs = engine.nowMs + engine.settings.client.staleCloseDelayMs;
    this.#wait();
  }

  get state(): SessionState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subscriptions;
  }

  /** How others see this client. */
  clientInfo(channelInfo?: ByteString): ClientInfo {
    return { user: this.user, client: this.id, conn_info: this.info, chan_info: channelInfo };
  }

  /** Connects a client that sends nothing but its connect request. */
  connect(request: ConnectRequest): void {
    this.#state = ON_CLIENT[this.#state].connect === 'connecting' ? 'connecting' : this.#state;
    void handleConnect(this, 0, request);
  }

  /** Aborted when the connection ends. */
  get leaving(): AbortSignal {
    this.#leaving ??= new AbortController();
    if (!this.isOpen) this.#leaving.abort();
    return this.#leaving.signal;
  }

  /** What others see of this client from now on; lists of who is present show it a round later, as on Centrifugo. */
  changeInfo(info: ByteString): void {
    for (const subscription of this.#subscriptions.values()) subscription.keepPresence();
    this.info = info;
  }

  /** Takes a frame from the client. */
  receive(frame: Buffer): void {
    if (this.#state === 'refused' || this.#isBroken) return;
    const { commands, isMalformed } = this.peer.encoding.decodeFrame(frame);
    this.#isBroken = isMalformed;
    if (this.#backlog) {
      // A socket stops reading meanwhile, but commands that come by requests of their own could pile up without end.
      this.#backlogBytes += frame.length;
      if (this.#backlogBytes > this.engine.settings.client.queueMaxSize) {
        this.close(Disconnects.TooManyRequests);
        return;
      }
      this.#backlog.push(...commands);
    } else this.#run(commands);
    if (!this.#backlog) this.#closeIfBroken();
  }

  /** Runs commands in order; what comes while one waits for the application waits too. */
  #run(commands: readonly Command[]): void {
    for (let i = 0; i < commands.length; i++) {
      if (!this.isOpen) return;
      const pending = this.#handle(commands[i]!);
      if (!pending) continue;
      this.#running++;
      void pending.finally(() => this.#finished());
      const limit = this.#state === 'connected' ? Math.max(this.engine.settings.client.concurrency, 1) : 1;
      if (this.#running < limit) continue;
      this.#backlog = commands.slice(i + 1);
      this.peer.pause();
      return;
    }
  }

  #finished(): void {
    this.#running--;
    const backlog = this.#backlog;
    if (!backlog || !this.isOpen) return;
    this.#backlog = undefined;
    this.#backlogBytes = 0;
    this.#run(backlog);
    if (this.#backlog || !this.isOpen) return;
    this.peer.resume();
    this.#closeIfBroken();
  }

  /** Ends who sent a malformed frame, after the commands before it. A refused client is not read any more, not even the rest of its frame. */
  #closeIfBroken(): void {
    if (this.#isBroken && this.#state !== 'refused') this.close(Disconnects.BadRequest);
  }

  #handle(command: Command): Promise<void> | undefined {
    const event: ClientEvent = command.id === 0 && !command.send ? 'pong' : command.connect ? 'connect' : 'command';
    const next = ON_CLIENT[this.#state][event];
    if (next === 'breach') {
      this.close(Disconnects.BadRequest);
      return undefined;
    }
    this.#state = next;
    if (next === 'refused' || next === 'closed') return undefined;
    if (event === 'pong') {
      this.#pong();
      return undefined;
    }
    return handleCommand(this, command);
  }

  #pong(): void {
    if (!this.#awaitsPong) {
      this.close(Disconnects.BadRequest);
      return;
    }
    this.#awaitsPong = false;
    this.#pongAtMs = NEVER;
    this.#wait();
  }

  /** The connect command succeeded: from now on others see this client. */
  established(): void {
    this.#state = ON_SERVER[this.#state].accepted;
    const { client } = this.engine.settings;
    const { random } = this.engine.surroundings;
    const now = this.engine.nowMs;
    // The first ping and the first round come after half to a whole interval, so that clients which reconnect together do not stay together.
    const spread = (intervalMs: number) => now + intervalMs / 2 + (random() * intervalMs) / 2;
    this.#pingAtMs = client.pingIntervalMs > 0 ? spread(client.pingIntervalMs) : NEVER;
    this.#roundAtMs = spread(client.presenceUpdateIntervalMs);
    this.engine.hub.addSession(this);
    this.scheduleExpiry();
  }

  /** The connect command failed with an error reply: the client is expected to leave. */
  refuse(id: number, error: ReplyError): void {
    if (this.peer.isUnidirectional) {
      this.close(UNIDIRECTIONAL_REFUSALS.get(error.code) ?? Disconnects.ServerError);
      return;
    }
    this.#state = ON_SERVER[this.#state].rejected;
    this.engine.hub.removeSession(this);
    this.error(id, error);
    this.#closeAtMs = Math.min(this.engine.nowMs + this.peer.refusedCloseDelayMs, this.#staleAtMs);
    this.#pingAtMs = this.#roundAtMs = NEVER;
    this.#wait();
  }

  /** Lets `expireAt` count. */
  scheduleExpiry(): void {
    const { expiredCloseDelayMs } = this.engine.settings.client;
    const graceMs = this.isClientRefreshed ? expiredCloseDelayMs : 0;
    this.#closeAtMs = this.expireAt > 0 ? this.expireAt * 1000 + graceMs : NEVER;
    this.#wait();
  }

  reply(reply: Reply): void {
    this.peer.push(this.peer.encoding.encodeReply(reply), true);
  }

  error(id: number, { code, message, temporary }: ReplyError): void {
    this.reply({ id, error: { code, message, temporary } });
  }

  push(push: Push): void {
    this.peer.push(this.peer.encoding.encodePush(push), true);
  }

  addSubscription(subscription: Subscription): void {
    if (this.#subscriptions === NO_SUBSCRIPTIONS) this.#subscriptions = new Map();
    this.#subscriptions.set(subscription.channel.name, subscription);
    this.engine.hub.addSubscription(subscription);
  }

  /** Ends a subscription. A client that did not ask for it is told with `told`. */
  unsubscribe(subscription: Subscription, told?: Unsubscribe): void {
    if (this.#subscriptions.get(subscription.channel.name) !== subscription) return;
    this.#subscriptions.delete(subscription.channel.name);
    this.#leave(subscription);
    if (told && this.isOpen) this.push({ channel: subscription.channel.name, unsubscribe: told });
  }

  #leave(subscription: Subscription): void {
    this.engine.hub.removeSubscription(subscription);
    const { channel, options } = subscription;
    if (options.emitsJoinLeave) this.engine.announce('leave', channel, subscription.clientInfo);
  }

  /** A positioned subscription no longer follows its stream: the client must recover. */
  losePosition(subscription: Subscription): void {
    if (subscription.isServerSide) this.close(Disconnects.InsufficientState);
    else this.unsubscribe(subscription, Unsubscribes.InsufficientState);
  }

  /** The server is going down. Who has not connected yet is dropped without a word. */
  shutDown(): void {
    if (this.#state === 'connected') this.close(Disconnects.Shutdown);
    else {
      this.close(undefined);
      this.peer.terminate();
    }
  }

  /** Ends the connection with a code; `undefined` where the other side ended it. */
  close(disconnect: Disconnect | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = ON_SERVER[this.#state].closed;
    this.#backlog = undefined;
    this.#leaving?.abort();
    this.engine.deadlines.cancel(this);
    this.engine.hub.removeSession(this);
    if (disconnect) {
      this.engine.metrics.countDisconnect(disconnect.code);
      this.peer.close(disconnect);
    }
    const subscriptions = this.#subscriptions;
    this.#subscriptions = NO_SUBSCRIPTIONS as Map<string, Subscription>;
    for (const subscription of subscriptions.values()) this.#leave(subscription);
  }

  #wait(): void {
    const at = Math.min(this.#pingAtMs, this.#pongAtMs, this.#roundAtMs, this.#closeAtMs);
    if (at === NEVER) this.engine.deadlines.cancel(this);
    else this.engine.deadlines.schedule(this, at);
  }

  onDeadline(): void {
    const now = this.engine.nowMs;
    if (now >= this.#closeAtMs) {
      this.#timeIsUp();
      return;
    }
    if (now >= this.#pongAtMs) {
      this.close(Disconnects.NoPong);
      return;
    }
    if (now >= this.#pingAtMs) this.#ping(now);
    if (now >= this.#roundAtMs) {
      this.#roundAtMs = now + this.engine.settings.client.presenceUpdateIntervalMs;
      lookAfterSubscriptions(this, now);
    }
    if (this.isOpen) this.#wait();
  }

  #timeIsUp(): void {
    if (this.#state === 'connected' && !this.isClientRefreshed) {
      this.#closeAtMs = NEVER;
      this.#wait();
      void renewConnection(this);
    } else if (this.#state === 'connected') this.close(Disconnects.Expired);
    else if (this.engine.nowMs >= this.#staleAtMs) this.close(Disconnects.Stale);
    else {
      this.close(undefined);
      this.peer.terminate();
    }
  }

  #ping(now: number): void {
    const { pingIntervalMs, pongTimeoutMs } = this.engine.settings.client;
    this.#awaitsPong = true;
    this.peer.push(this.peer.encoding.ping, true);
    this.#pingAtMs = now + pingIntervalMs;
    if (pongTimeoutMs > 0 && !this.peer.isUnidirectional) this.#pongAtMs = now + pongTimeoutMs;
  }

  /** Ends a subscription whose time is up. */
  subscriptionExpired(subscription: Subscription): void {
    if (subscription.isServerSide) this.close(Disconnects.SubscriptionExpired);
    else this.unsubscribe(subscription, Unsubscribes.Expired);
  }
}
