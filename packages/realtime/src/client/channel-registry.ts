import { ChannelRefusedError, type RealtimeError, UnauthorizedError } from '../core/errors.ts';
import type { ManagerEvent } from '../core/events.ts';
import type { Observers } from '../core/observers.ts';
import { BrokerCode, FIRST_BROKER_CODE } from './broker-codes.ts';
import { type Attachment, ChannelRecord } from './channel-record.ts';
import type { ChannelSnapshot } from './connection-snapshot.ts';
import type { GrantBook } from './grant-book.ts';
import { fitsJoinBudget, type Join, MAX_CHANNELS } from './join-budget.ts';
import { readTokenClaims, type TokenClaims } from './token-claims.ts';
import type { ChannelEvents, Transport } from './transport.ts';
import type { ChannelGrant, MessageHandler, RealtimeConfig, SubscribeOptions, Unsubscribe } from './types.ts';

/** What the registry needs of the connection. */
interface ChannelRegistryHost {
  readonly config: RealtimeConfig;
  readonly transport: Transport | null;
  /** Of the connection token; `null` while unknown, or where it is opaque. */
  readonly claims: TokenClaims | null;
  readonly messageHandlers: ReadonlySet<MessageHandler>;
  readonly observers: Observers<ManagerEvent>;
  now(): number;
  report(error: RealtimeError): void;
}

/**
 * All channels of a connection, and by which of the two ways each is delivered: by the connection itself (its token lists the channel), or
 * by a subscription of its own with a grant. Never both: the broker ends the second for good (105).
 */
export class ChannelRegistry {
  readonly #host: ChannelRegistryHost;
  readonly #grants: GrantBook;
  readonly #records = new Map<string, ChannelRecord>();
  /** Those of them that the connection carries, by either way: few, however many are asked for. May hold some that it carries no more. */
  readonly #carried = new Set<ChannelRecord>();
  readonly #context: ConstructorParameters<typeof ChannelRecord>[1];
  /** Connected, and told of all channels that the connection carries. */
  #isSettled = false;
  /** What the token listed that this connection was made with. A token that came later counts from the next one on. */
  #settledClaims: TokenClaims | null = null;

  constructor(host: ChannelRegistryHost, grants: GrantBook) {
    this.#host = host;
    this.#grants = grants;
    this.#context = {
      report: (error) => host.report(error),
      messageHandlers: host.messageHandlers,
      observers: host.observers,
      now: () => host.now(),
      knownFaults: new Set(),
    };
  }

  /** @param onEnd called once, after the registration was removed */
  subscribe(channel: string, handler: MessageHandler, options: SubscribeOptions, onEnd: () => void): Unsubscribe {
    const record = this.#obtain(channel);
    const remove = record.add(handler, options);
    this.#route(record);
    return () => {
      remove();
      onEnd();
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
    return this.#host.claims?.channels.has(channel) || this.#records.get(channel)?.isByConnection || false;
  }

  /** A connection token came, and is not used yet. What it says wins over what scopes declare. */
  adoptToken(isOtherUser: boolean): void {
    const { claims } = this.#host;
    for (const record of this.#all()) {
      const isListed = claims?.channels.has(record.channel) ?? false;
      if (isOtherUser || isListed) this.#detach(record);
      if (isListed && record.isFinal) record.permitted();
    }
    if (!isOtherUser) this.#routeAll();
  }

  /** Connected, and the turn is over in which the connection told its channels. What is not there now is not carried by it. */
  settle(): void {
    this.#isSettled = true;
    this.#settledClaims = this.#host.claims;
    this.#routeAll();
  }

  /** The connection is gone. */
  unsettle(): void {
    this.#isSettled = false;
  }

  /** Everything refused may be tried again. */
  permitAll(): void {
    for (const record of this.#all()) if (record.isFinal) record.permitted();
  }

  /** Ends all subscriptions made with grants; they are made anew. */
  detachAll(): void {
    for (const record of this.#all()) this.#detach(record);
  }

  /** The transport was thrown away, with all its subscriptions. */
  forgetTransport(): void {
    for (const record of this.#all()) {
      record.attachment = null;
      record.isByConnection = false;
      record.dropped();
    }
  }

  /** Leaves what nobody listens to. */
  leaveUnwanted(): void {
    for (const record of this.#all()) {
      if (record.isWanted) continue;
      this.#detach(record);
      this.#grants.cancel(record.channel);
      record.isAsking = false;
      // What the connection carries goes on coming: its place in the stream is kept for the next subscriber.
      if (!(record.isByConnection && this.#isSettled)) this.#forget(record);
    }
    this.#fillRoom();
  }

  close(): void {
    for (const record of this.#all()) record.close();
    this.#records.clear();
    this.#carried.clear();
  }

  /** The events of a channel that the connection itself carries. */
  connectionChannel(channel: string): ChannelEvents {
    const carried = () => {
      const record = this.#records.get(channel);
      return record?.isByConnection ? record : undefined;
    };
    return {
      joined: (join) => {
        const record = this.#obtain(channel);
        record.isByConnection = true;
        this.#carried.add(record);
        record.joined(join);
      },
      published: (publication) => carried()?.published(publication),
      presenceChanged: () => carried()?.presenceChanged(),
      dropped: () => carried()?.dropped(),
      ended: (code) => {
        const record = carried();
        if (!record) return;
        record.isByConnection = false;
        if (!record.isWanted) this.#forget(record);
        else if (this.#host.claims?.channels.has(channel)) record.ended(code);
        else {
          // The token does not list it any more; a grant may still allow it.
          record.dropped();
          this.#route(record);
        }
        this.#fillRoom();
      },
    };
  }

  /** All channels, in the order in which they came. */
  inspect(): ChannelSnapshot[] {
    return this.#all().map((record) => {
      const { attachment, isByConnection } = record;
      const claims = attachment ? readTokenClaims(attachment.token) : isByConnection ? this.#host.claims : null;
      return {
        ...record.inspect(),
        by: attachment ? 'grant' : isByConnection ? 'token' : null,
        expiresAt: claims?.expiresAtSeconds ? claims.expiresAtSeconds * 1_000 : null,
      };
    });
  }

  /** A copy: routes change the map, and handlers may subscribe and unsubscribe meanwhile. */
  #all(): ChannelRecord[] {
    return [...this.#records.values()];
  }

  #obtain(channel: string): ChannelRecord {
    let record = this.#records.get(channel);
    if (!record) {
      record = new ChannelRecord(channel, this.#context);
      this.#records.set(channel, record);
    }
    return record;
  }

  #forget(record: ChannelRecord): void {
    this.#records.delete(record.channel);
    this.#carried.delete(record);
  }

  #routeAll(): void {
    for (const record of this.#all()) this.#route(record);
  }

  /** Finds the one way in which a wanted channel is delivered, and goes it. Does nothing where that was done, or cannot be known yet. */
  #route(record: ChannelRecord): void {
    const { channel } = record;
    const { claims, transport } = this.#host;
    if (!transport || !record.isWanted || record.isFinal || record.attachment) return;
    if (!claims && !this.#isSettled) return;
    if (record.isByConnection) return; // joined, or told by the next connect
    if (claims?.channels.has(channel)) {
      // Listed since this connection was made: the broker is about to end it (3010), and the next one carries the channel.
      if (this.#isSettled && this.#settledClaims?.channels.has(channel))
        this.#refuse(record, 'the connection token lists it, but the broker did not join it');
      return;
    }
    const isDeclared = this.#isDeclaredForConnection(channel);
    const token = this.#grants.take(channel);
    if (token !== null) this.#attach(record, transport, token);
    else if (record.isAsking) return;
    else if (this.#grants.canRequest && !isDeclared) this.#ask(record);
    else if (this.#isSettled)
      this.#refuse(
        record,
        isDeclared
          ? "it travels with the connection token, and this user's token does not list it"
          : 'there is no grant for it, and no getChannelTokens to ask',
      );
  }

  #isDeclaredForConnection(channel: string): boolean {
    const scope = channel.split(':')[1];
    if (scope === 'global' || scope === 'user') return true; // as Channels declares them
    return Object.values(this.#host.config.channels ?? {}).some(
      (builder) => builder.scope === scope && builder.delivery === 'connection',
    );
  }

  #ask(record: ChannelRecord): void {
    const { channel } = record;
    record.isAsking = true;
    record.asked();
    const settled = (refusal: ChannelRefusedError | null) => {
      record.isAsking = false;
      if (this.#records.get(channel) !== record) return;
      if (!refusal) this.#route(record);
      // Not where another grant came first, or the connection carries it by now.
      else if (!record.attachment && !record.isCovered) record.refuse(refusal);
    };
    this.#grants.request(channel).then(() => settled(null), settled);
  }

  #attach(record: ChannelRecord, transport: Transport, token: string): void {
    const { channel } = record;
    if (!fitsJoinBudget([...this.#joins(), { channel, token }], this.#maxChannels)) {
      record.isOverLimit = true;
      this.#refuse(record, 'the connection has joined as many channels as it can', BrokerCode.LimitExceeded);
      return;
    }
    record.asked();
    const attachment: Attachment = { token, leave: () => {} };
    record.attachment = attachment;
    this.#carried.add(record);
    // Events of a former subscription of the same name never count.
    const isCurrent = () => record.attachment === attachment;
    const events: ChannelEvents = {
      joined: (join) => isCurrent() && record.joined(join),
      published: (publication) => isCurrent() && record.published(publication),
      presenceChanged: () => isCurrent() && record.presenceChanged(),
      dropped: () => isCurrent() && record.dropped(),
      ended: (code, reason) => isCurrent() && this.#attachmentEnded(record, attachment, code, reason),
    };
    const renewToken = () => this.#renew(record, attachment);
    attachment.leave = transport.join(channel, { token, renewToken, since: record.takeSince() }, events);
  }

  /** The grant in use expired, or was made void: another one, from the book or from the server. */
  async #renew({ channel }: ChannelRecord, attachment: Attachment): Promise<string> {
    this.#grants.drop(channel, attachment.token);
    const token = this.#grants.take(channel);
    if (token === null && !this.#grants.canRequest)
      throw new UnauthorizedError('The grant expired, and there is no getChannelTokens to ask.');
    attachment.token = token ?? (await this.#grants.request(channel).catch(rethrowAsUnauthorized));
    return attachment.token;
  }

  #attachmentEnded(record: ChannelRecord, attachment: Attachment, code: number | null, reason: string): void {
    this.#grants.drop(record.channel, attachment.token);
    record.attachment = null;
    attachment.leave();
    if (code === BrokerCode.AlreadySubscribed && record.isByConnection) return;
    if (code !== null && code >= BrokerCode.ServerUnsubscribe) record.ended(code);
    else this.#refuse(record, reason, code !== null && code >= FIRST_BROKER_CODE ? code : null);
    // The broker's limit is lower than ours: this one waits for room like those that we refuse, and makes none for others.
    if (code === BrokerCode.LimitExceeded) record.isOverLimit = true;
    else this.#fillRoom();
  }

  #refuse(record: ChannelRecord, reason: string, code: number | null = null): void {
    record.refuse(new ChannelRefusedError(record.channel, reason, code));
  }

  #detach(record: ChannelRecord): void {
    const { attachment } = record;
    if (!attachment) return;
    record.attachment = null;
    attachment.leave();
    record.dropped();
  }

  /** What the connection has to carry: what its token lists, what the server joined besides, and what has a grant. */
  *#joins(): Iterable<Join> {
    const listed: ReadonlySet<string> = this.#host.claims?.channels ?? new Set();
    for (const channel of listed) yield { channel, token: null };
    for (const record of this.#carried) {
      const { channel, attachment, isByConnection, isCovered } = record;
      if (attachment) yield { channel, token: attachment.token };
      else if (!isByConnection) this.#carried.delete(record);
      else if (isCovered && !listed.has(channel)) yield { channel, token: null };
    }
  }

  get #maxChannels(): number {
    return this.#host.config.maxChannels ?? MAX_CHANNELS;
  }

  /** What did not fit is tried again, as long as there is room: not ten thousand refusals for each channel that is left. */
  #fillRoom(): void {
    for (const record of this.#all()) {
      if (!record.isOverLimit) continue;
      if ([...this.#joins()].length >= this.#maxChannels) break;
      record.permitted();
      this.#route(record);
    }
  }
}

function rethrowAsUnauthorized(error: unknown): never {
  throw new UnauthorizedError((error as ChannelRefusedError).message);
}
