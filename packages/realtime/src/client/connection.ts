import { systemClock } from '../core/clock.ts';
import {
  BrokerError,
  ChannelRefusedError,
  DisconnectedError,
  InvalidMessageError,
  RealtimeError,
  UnauthorizedError,
} from '../core/errors.ts';
import { assertMessage, type Message } from '../core/message.ts';
import { BrokerCode, FIRST_BROKER_CODE } from './broker-codes.ts';
import { createCentrifugeTransport } from './centrifuge-transport.ts';
import { type Attachment, ChannelRecord, type RecordContext } from './channel-record.ts';
import { type ConnectionEvent, nextConnectionState } from './connection-state.ts';
import { withDeadline } from './deadline.ts';
import { GrantBook } from './grant-book.ts';
import { isUnauthorized } from './is-unauthorized.ts';
import { readTokenClaims, type TokenClaims } from './token-claims.ts';
import type { ChannelEvents, Transport, TransportEvents } from './transport.ts';
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
import { watchResume } from './watch-resume.ts';

/** A frame over 64 KiB makes the broker end the connection for good (code 3); this leaves room for the command around the data. */
const MAX_DATA_BYTES = 64 * 1_024 - 1_024;
/** All subscribe commands of a reconnect travel in one frame, with the connection token. */
const MAX_JOIN_BYTES = 48 * 1_024;
/** What a subscribe command takes beside channel and token: its JSON and a position to recover from. */
const JOIN_OVERHEAD_BYTES = 96;
/** How often the clock is looked at; a machine that slept shows a gap of more than twice that. */
const SLEEP_CHECK_MS = 15_000;

/** What the connection needs of the manager around it. */
export interface ConnectionHost {
  /** Read anew at every use: `initialize` may replace the callbacks. */
  readonly config: RealtimeConfig;
  setStatus(state: ConnectionState, reason: RealtimeError | null): void;
  report(error: RealtimeError): void;
}

/** The part of a manager that only runs once something needs a connection: it decides who is joined how, and when to be connected at all. */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #records = new Map<string, ChannelRecord>();
  readonly #context: RecordContext;
  readonly #grants: GrantBook;
  readonly #stopWatching: () => void;
  #transport: Transport | null = null;
  #retireTransport: () => void = () => {};
  /** Whether the transport was told to connect. */
  #isOpen = false;
  #state: ConnectionState = 'idle';
  #reason: RealtimeError | null = null;
  /** Registrations and calls under way. */
  #needs = 0;
  /** Claims of the connection token; `null` while unknown, or where the token is opaque. */
  #claims: TokenClaims | null = null;
  #isTokenKnown = false;
  #tokenRequest: Promise<string> | null = null;
  /** A token that was fetched for a connection which is being replaced. */
  #spareToken: string | null = null;
  #tokenFailures = 0;
  #tokenFault: RealtimeError | null = null;
  #cancelGrace: (() => void) | null = null;
  #cancelLate: (() => void) | null = null;
  #cancelSleepCheck: (() => void) | null = null;
  #cancelProbe: (() => void) | null = null;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.#context = { report: (error) => host.report(error), knownFaults: new Set() };
    const { random = Math.random, retry = { minMs: 500, maxMs: 20_000 }, tokenTimeoutMs = 15_000 } = host.config;
    this.#grants = new GrantBook({
      clock: this.#clock,
      random,
      retry,
      tokenTimeoutMs,
      getChannelTokens: () => host.config.getChannelTokens,
      report: (error) => host.report(error),
    });
    this.#stopWatching = watchResume({
      network: (isOnline) => {
        this.#transport?.networkChanged(isOnline);
        if (isOnline) this.#probe();
      },
      resumed: () => this.#probe(),
    });
    // What made the manager load this is a need, even where it has gone meanwhile: then the grace begins now.
    this.#fire('need', null);
    this.#needs = 1;
    this.#clock.after(0, () => this.#release());
  }

  subscribe(channel: string, handler: MessageHandler, options: SubscribeOptions): Unsubscribe {
    const record = this.#record(channel);
    const end = record.add(handler, options);
    this.#need();
    this.#route(record);
    return () => {
      end();
      this.#release();
      // A moment later: React's StrictMode ends and begins a subscription in one go.
      if (!record.isWanted) this.#clock.after(0, () => this.#leaveUnwanted(record));
    };
  }

  addGrant({ channel, token }: ChannelGrant): void {
    this.#grants.add(channel, token);
    const record = this.#records.get(channel);
    if (!record) return;
    record.permitted();
    this.#route(record);
  }

  isConnectionChannel(channel: string): boolean {
    return this.#claims?.channels.has(channel) || this.#records.get(channel)?.isByConnection || false;
  }

  /** Begins anew with a fresh token, also after `unauthorized` and `failed`. */
  reconnect(): void {
    if (this.#state === 'disposed') return;
    // Whatever made the broker refuse the connection may be a grant: none of them is used again.
    if (this.#state === 'failed' || this.#state === 'unauthorized') {
      this.#grants.clear();
      for (const record of this.#records.values()) this.#detach(record);
    }
    for (const record of this.#records.values()) if (record.isFinal) record.permitted();
    this.#tokenFailures = 0;
    this.#fire('retry', null);
    this.#isOpen = false;
    this.#transport?.forgetToken();
    this.#transport?.disconnect();
    if (this.#needs) this.#connect();
  }

  publish(channel: string, message: Message): Promise<void> {
    return this.#call((transport) => transport.publish(channel, checkSize(assertMessage(message))));
  }

  rpc(method: string, data: unknown): Promise<unknown> {
    return this.#call((transport) => transport.rpc(method, checkSize(data)));
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
    this.#cancelGrace?.();
    this.#grants.dispose();
    this.#retireTransport();
    this.#transport = null;
    this.#records.clear();
  }

  get #clock() {
    return this.#host.config.clock ?? systemClock;
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
      for (const record of [...this.#records.values()]) this.#leaveUnwanted(record);
    });
  }

  async #call<T>(run: (transport: Transport) => Promise<T>): Promise<T> {
    this.#need();
    try {
      const transport = this.#transport;
      if (!transport || this.#state === 'unauthorized' || this.#state === 'failed')
        throw this.#reason ?? new DisconnectedError('There is no connection.');
      return await run(transport);
    } finally {
      this.#release();
    }
  }

  #leaveUnwanted(record: ChannelRecord): void {
    if (record.isWanted || this.#records.get(record.channel) !== record) return;
    this.#detach(record);
    // What the connection carries goes on coming; its place in the stream is kept for the next subscriber.
    if (!(record.isByConnection && this.#state === 'connected')) this.#records.delete(record.channel);
  }

  // ── the connection ─────────────────────────────────────────────────────────

  #connect(): void {
    this.#isOpen = true;
    this.#fire('need', null);
    this.#transport ??= this.#createTransport();
    this.#transport.connect();
  }

  #createTransport(): Transport {
    const { wsUrl, websocket, timeoutMs = 5_000, transport = createCentrifugeTransport } = this.#host.config;
    let isCurrent = true;
    const guard =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (isCurrent && this.#state !== 'disposed') handle(...args);
      };
    const events: TransportEvents = {
      connected: guard(() => this.#connected()),
      connecting: guard((code, reason) => this.#dropped(code, reason)),
      failing: guard((code, reason) => this.#failing(code, reason)),
      disconnected: guard((code, reason) => this.#disconnected(code, reason)),
      connectionChannel: (channel) => this.#connectionChannel(channel, () => isCurrent),
      getToken: () => this.#getToken(),
    };
    const created = transport({ wsUrl, websocket, timeoutMs }, events);
    this.#retireTransport = () => {
      isCurrent = false;
      created.dispose();
    };
    return created;
  }

  #connected(): void {
    this.#tokenFault = null;
    this.#fire('open', null);
    this.#checkSleep();
    // The channels of the connection come in the same turn as its opening: what is not there after it is not carried by it.
    queueMicrotask(() => {
      if (this.#state !== 'connected') return;
      this.#isTokenKnown = true;
      for (const record of [...this.#records.values()]) this.#route(record);
    });
  }

  #dropped(code: number, reason: string): void {
    if (code === 0) return; // our own connect()
    if (code === BrokerCode.StateInvalidated) this.#grants.clear();
    this.#fire('drop', this.#tokenFault ?? new DisconnectedError(reason, code >= FIRST_BROKER_CODE ? code : null));
  }

  #failing(code: number, reason: string): void {
    const error =
      this.#tokenFault ?? (code >= FIRST_BROKER_CODE ? new BrokerError(code, reason) : new DisconnectedError(reason));
    if (this.#state !== 'connected') this.#fire('drop', error);
    else if (error !== this.#tokenFault) this.#host.report(error);
  }

  #disconnected(code: number, reason: string): void {
    if (code === 0) return; // our own disconnect()
    const isRefused = code === BrokerCode.Unauthorized || code === BrokerCode.InvalidToken;
    const error =
      code === BrokerCode.InvalidToken
        ? new UnauthorizedError(
            `The broker refused a token (${code}). Is it signed with the broker's secret, for this user? After a login call reconnect().`,
          )
        : isRefused
          ? (this.#tokenFault ?? new UnauthorizedError())
          : new DisconnectedError(reason, code);
    // "Nobody is logged in" is an ordinary state; a refused token and a closed connection are faults.
    if (code !== BrokerCode.Unauthorized) this.#host.report(error);
    this.#fire(isRefused ? 'refuse' : 'fail', error);
  }

  #fire(event: ConnectionEvent, reason: RealtimeError | null): void {
    const next = nextConnectionState(this.#state, event);
    if (next === this.#state && (!reason || next === 'connected' || next === 'idle' || next === 'disposed')) return;
    this.#state = next;
    this.#reason = next === 'connected' || next === 'idle' ? null : (reason ?? this.#reason);
    const isTrying = next === 'connecting' || next === 'reconnecting';
    if (isTrying) {
      this.#cancelLate ??= this.#clock.after(this.#host.config.pollingAfterMs ?? 30_000, () => {
        this.#cancelLate = null;
        this.#fire('late', null);
      });
    } else {
      this.#cancelLate?.();
      this.#cancelLate = null;
    }
    if (next !== 'connected') {
      this.#cancelSleepCheck?.();
      this.#cancelProbe?.();
      this.#cancelSleepCheck = this.#cancelProbe = null;
    }
    this.#host.setStatus(next, this.#reason);
  }

  // ── proving the connection ─────────────────────────────────────────────────

  /** The connection answers within the deadline, or is replaced: a socket that died in sleep looks open for a long time. */
  #probe(): void {
    if (this.#state !== 'connected' || this.#cancelProbe) return;
    const replace = () => {
      if (this.#cancelProbe !== cancel) return;
      cancel();
      this.#cancelProbe = null;
      this.#fire('drop', new DisconnectedError('The connection did not answer after a pause; it is made anew.'));
      this.#transport?.disconnect();
      this.#transport?.connect();
    };
    const cancel = this.#clock.after(this.#host.config.probeTimeoutMs ?? 4_000, replace);
    this.#cancelProbe = cancel;
    this.#transport?.probe().then(() => {
      cancel();
      if (this.#cancelProbe === cancel) this.#cancelProbe = null;
    }, replace);
  }

  #checkSleep(): void {
    this.#cancelSleepCheck?.();
    const startedMs = this.#clock.now();
    this.#cancelSleepCheck = this.#clock.after(SLEEP_CHECK_MS, () => {
      const isVisible = typeof document === 'undefined' || document.visibilityState !== 'hidden';
      if (isVisible && this.#clock.now() - startedMs > 2 * SLEEP_CHECK_MS) this.#probe();
      this.#checkSleep();
    });
  }

  // ── the connection token ───────────────────────────────────────────────────

  #getToken(): Promise<string> {
    if (this.#spareToken !== null) {
      const token = this.#spareToken;
      this.#spareToken = null;
      return Promise.resolve(token);
    }
    this.#tokenRequest ??= this.#fetchToken().finally(() => {
      this.#tokenRequest = null;
    });
    return this.#tokenRequest;
  }

  async #fetchToken(): Promise<string> {
    const { config } = this.#host;
    let token: unknown;
    try {
      token = await withDeadline(this.#clock, config.tokenTimeoutMs ?? 15_000, 'getToken', () => config.getToken());
    } catch (cause) {
      if (isUnauthorized(cause)) throw this.#tokenRefused();
      const text = 'getToken failed; it is called again with back-off.';
      this.#tokenFault = new RealtimeError('token_unavailable', text, { cause });
      if (this.#tokenFailures++ === 0) this.#host.report(this.#tokenFault);
      throw this.#tokenFault;
    }
    if (typeof token !== 'string' || token === '') throw this.#tokenRefused();
    this.#tokenFailures = 0;
    this.#tokenFault = null;
    this.#adopt(token);
    return token;
  }

  #tokenRefused(): UnauthorizedError {
    const error = new UnauthorizedError();
    this.#tokenFault = error;
    return error;
  }

  /** What the token says wins over what scopes declare. Runs before the transport uses the token. */
  #adopt(token: string): void {
    const claims = readTokenClaims(token);
    const isOtherUser = this.#claims !== null && claims !== null && this.#claims.userId !== claims.userId;
    this.#claims = claims;
    this.#isTokenKnown = claims !== null;
    this.#grants.setIdentity(claims);
    for (const record of this.#records.values()) {
      // Never both ways for one channel: the broker would end the client's subscription for good (105).
      if (isOtherUser || claims?.channels.has(record.channel)) this.#detach(record);
      if (record.isFinal && claims?.channels.has(record.channel)) record.permitted();
    }
    if (isOtherUser && this.#state === 'connected') {
      // The broker takes no other user's token on a live connection (3500, for good). After this turn: the transport waits for its answer.
      this.#spareToken = token;
      queueMicrotask(() => this.#replaceTransport());
      return;
    }
    for (const record of [...this.#records.values()]) this.#route(record);
  }

  #replaceTransport(): void {
    if (this.#state === 'disposed' || !this.#transport) return;
    this.#fire('drop', new DisconnectedError('The token is for another user; the connection is made anew.'));
    this.#retireTransport();
    this.#transport = null;
    for (const record of this.#records.values()) {
      record.isByConnection = false;
      record.dropped();
    }
    this.#connect();
  }

  // ── channels ───────────────────────────────────────────────────────────────

  #record(channel: string): ChannelRecord {
    let record = this.#records.get(channel);
    if (!record) {
      record = new ChannelRecord(channel, this.#context);
      this.#records.set(channel, record);
    }
    return record;
  }

  /** Finds the one way in which a wanted channel is delivered, and goes it. Does nothing where that was done, or cannot be done yet. */
  #route(record: ChannelRecord): void {
    const { channel } = record;
    if (!this.#isTokenKnown || !record.isWanted || record.isFinal || record.attachment || record.isAsking) return;
    if (record.isByConnection && record.isCovered) return;
    const isConnected = this.#state === 'connected';
    if (this.#claims?.channels.has(channel)) {
      if (isConnected && !record.isByConnection)
        record.refuse(
          new ChannelRefusedError(channel, 'the connection token lists it, but the broker did not join it.'),
        );
      return;
    }
    const token = this.#grants.take(channel);
    if (token !== null) this.#attach(record, token);
    else if (this.#grants.canRequest && !this.#isDeclaredForConnection(channel)) this.#ask(record);
    else if (isConnected)
      record.refuse(
        new ChannelRefusedError(
          channel,
          this.#isDeclaredForConnection(channel)
            ? 'it travels with the connection token, and this user’s token does not list it.'
            : 'there is no grant for it, and no getChannelTokens to ask.',
        ),
      );
  }

  #isDeclaredForConnection(channel: string): boolean {
    const scope = channel.split(':')[1];
    if (scope === 'global' || scope === 'user') return true;
    return Object.values(this.#host.config.channels ?? {}).some(
      (builder) => builder.scope === scope && builder.delivery === 'connection',
    );
  }

  #ask(record: ChannelRecord): void {
    record.isAsking = true;
    record.asked();
    this.#grants.request(record.channel).then(
      () => {
        record.isAsking = false;
        if (this.#records.get(record.channel) === record) this.#route(record);
      },
      (error: ChannelRefusedError) => {
        record.isAsking = false;
        if (this.#records.get(record.channel) === record && !record.isCovered) record.refuse(error);
      },
    );
  }

  #attach(record: ChannelRecord, token: string): void {
    if (!this.#hasRoomFor(record.channel, token)) {
      record.isOverLimit = true;
      record.refuse(
        new ChannelRefusedError(
          record.channel,
          'the connection has joined as many channels as it can',
          BrokerCode.LimitExceeded,
        ),
      );
      return;
    }
    record.asked();
    const attachment: Attachment = { token, leave: () => {} };
    record.attachment = attachment;
    // Events of a former subscription of the same name never count.
    const isCurrent = () => record.attachment === attachment;
    const events: ChannelEvents = {
      joined: (join) => isCurrent() && record.joined(join),
      published: (publication) => isCurrent() && record.published(publication),
      dropped: () => isCurrent() && record.dropped(),
      ended: (code, reason) => isCurrent() && this.#attachmentEnded(record, attachment, code, reason),
    };
    const renewToken = () => {
      this.#grants.drop(record.channel, attachment.token);
      return this.#renew(record, attachment);
    };
    attachment.leave =
      this.#transport?.join(record.channel, { token, renewToken, since: record.takeSince() }, events) ??
      attachment.leave;
  }

  async #renew(record: ChannelRecord, attachment: Attachment): Promise<string> {
    const token = this.#grants.take(record.channel);
    if (token === null && !this.#grants.canRequest)
      throw new UnauthorizedError('The grant expired, and there is no getChannelTokens to ask.');
    try {
      attachment.token = token ?? (await this.#grants.request(record.channel));
      return attachment.token;
    } catch (error) {
      throw new UnauthorizedError((error as ChannelRefusedError).message);
    }
  }

  #attachmentEnded(record: ChannelRecord, attachment: Attachment, code: number | null, reason: string): void {
    this.#detach(record);
    this.#grants.drop(record.channel, attachment.token);
    if (code === BrokerCode.AlreadySubscribed && record.isByConnection) return;
    if (code !== null && code >= BrokerCode.ServerUnsubscribe) record.ended(code);
    else
      record.refuse(
        new ChannelRefusedError(record.channel, reason, code !== null && code >= FIRST_BROKER_CODE ? code : null),
      );
    this.#fillRoom();
  }

  #detach(record: ChannelRecord): void {
    const { attachment } = record;
    if (!attachment) return;
    record.attachment = null;
    attachment.leave();
    if (!record.isByConnection) record.dropped();
  }

  #connectionChannel(channel: string, isCurrent: () => boolean): ChannelEvents {
    return {
      joined: (join) => {
        if (!isCurrent()) return;
        const record = this.#record(channel);
        record.isByConnection = true;
        record.joined(join);
      },
      published: (publication) => {
        const record = this.#records.get(channel);
        if (isCurrent() && record?.isByConnection) record.published(publication);
      },
      dropped: () => {
        const record = this.#records.get(channel);
        if (isCurrent() && record?.isByConnection) record.dropped();
      },
      ended: (code) => {
        const record = this.#records.get(channel);
        if (!isCurrent() || !record?.isByConnection) return;
        record.isByConnection = false;
        if (!record.isWanted) this.#records.delete(channel);
        else if (this.#claims?.channels.has(channel)) record.ended(code);
        else {
          // The new token does not list it any more; a grant may still allow it.
          record.dropped();
          this.#route(record);
        }
      },
    };
  }

  // ── limits ─────────────────────────────────────────────────────────────────

  #hasRoomFor(channel: string, token: string): boolean {
    let channels = 1;
    let bytes = joinBytes(channel, token);
    for (const record of this.#records.values()) {
      if (record.isByConnection || record.attachment) channels++;
      if (record.attachment) bytes += joinBytes(record.channel, record.attachment.token);
    }
    return channels <= (this.#host.config.maxChannels ?? 128) && bytes <= MAX_JOIN_BYTES;
  }

  #fillRoom(): void {
    for (const record of [...this.#records.values()]) {
      if (!record.isOverLimit) continue;
      record.permitted();
      this.#route(record);
    }
  }
}

function joinBytes(channel: string, token: string): number {
  return channel.length + token.length + JOIN_OVERHEAD_BYTES;
}

/** @throws InvalidMessageError (`invalid_message`): what is larger would cost the whole connection, for good. */
function checkSize<T>(data: T): T {
  const bytes = new TextEncoder().encode(JSON.stringify(data) ?? '').length;
  if (bytes <= MAX_DATA_BYTES) return data;
  throw new InvalidMessageError(
    `A client may send at most ${MAX_DATA_BYTES} bytes, got ${bytes}. Larger data belongs into a request to the server.`,
  );
}
