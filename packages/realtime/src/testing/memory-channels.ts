import { readTokenClaims } from '../client/token-claims.ts';
import type { ChannelEvents, JoinOptions, TransportEvents, TransportPublication } from '../client/transport.ts';
import type { Clock } from '../core/clock.ts';
import type { Position } from '../core/position.ts';
import {
  type MemoryBroker,
  MemoryCode,
  type MemoryJoin,
  type MemorySession,
  type StoredPublication,
} from './memory-broker.ts';
import type { MemoryWire } from './memory-wire.ts';

/** The SDK's code for a subscription whose token could not be had. */
const UNAUTHORIZED = 1;

/** An open connection. */
export interface MemoryLink {
  readonly session: MemorySession;
  readonly wire: MemoryWire;
}

interface MemoryChannelsOptions {
  readonly broker: MemoryBroker;
  readonly clock: Clock;
  readonly events: TransportEvents;
  /** The broker closes the connection for good. */
  readonly close: (code: number, reason: string) => void;
}

interface Subscription {
  readonly channel: string;
  readonly options: JoinOptions;
  readonly events: ChannelEvents;
  token: string;
  position: Position | null;
  state: 'subscribing' | 'subscribed' | 'ended';
  cancelRenewal: () => void;
}

/** The channels of one client as the SDK keeps them: those that the connection carries, and subscriptions with a grant each. Outlives connections. */
export class MemoryChannels {
  readonly #options: MemoryChannelsOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #carried = new Map<string, Position | null>();
  #link: MemoryLink | null = null;

  constructor(options: MemoryChannelsOptions) {
    this.#options = options;
  }

  subscribe(channel: string, options: JoinOptions, events: ChannelEvents): () => void {
    const { token, since = null } = options;
    const subscription: Subscription = {
      channel,
      options,
      events,
      token,
      position: since,
      state: 'subscribing',
      cancelRenewal: () => {},
    };
    this.#subscriptions.set(channel, subscription);
    this.#ask(subscription);
    return () => {
      subscription.state = 'ended';
      subscription.cancelRenewal();
      if (this.#subscriptions.get(channel) !== subscription) return;
      this.#subscriptions.delete(channel);
      const link = this.#link;
      link?.wire.up(() => {
        if (!this.#subscriptions.has(channel)) this.#options.broker.leave(link.session, channel);
      });
    };
  }

  /** Connected. One turn, in the order of the SDK: `connected`, all joins, all that was missed, then what is not carried any more. */
  open(link: MemoryLink, carried: ReadonlySet<string>, connected: () => void): void {
    const { broker, events } = this.#options;
    this.#link = link;
    const joins = Array.from(carried, (channel) => ({
      channel,
      join: broker.join(link.session, channel, this.#carried.get(channel) ?? null),
    }));
    connected();
    if (this.#link !== link) return;
    for (const { channel, join } of joins) {
      this.#carried.set(channel, join.position);
      events.connectionChannel(channel).joined(join);
    }
    for (const { channel, join } of joins)
      for (const publication of join.publications) this.#deliver(channel, publication, true);
    for (const channel of [...this.#carried.keys()]) if (!carried.has(channel)) this.unsubscribed(channel, 0);
    for (const subscription of this.#subscriptions.values()) this.#ask(subscription);
  }

  /** The connection is gone. */
  cut(): void {
    if (!this.#link) return;
    this.#link = null;
    for (const subscription of [...this.#subscriptions.values()]) {
      if (subscription.state !== 'subscribed') continue;
      subscription.state = 'subscribing';
      subscription.cancelRenewal();
      subscription.events.dropped();
    }
    for (const channel of [...this.#carried.keys()]) this.#options.events.connectionChannel(channel).dropped();
  }

  /** Tokens and positions are void (3014). */
  invalidate(): void {
    for (const subscription of this.#subscriptions.values()) {
      subscription.token = '';
      subscription.position = { epoch: '_', offset: 0 };
    }
  }

  clear(): void {
    for (const { cancelRenewal } of this.#subscriptions.values()) cancelRenewal();
    this.#subscriptions.clear();
    this.#carried.clear();
  }

  // ── what the broker says ───────────────────────────────────────────────────

  published(channel: string, publication: StoredPublication): void {
    this.#deliver(channel, publication, false);
  }

  presenceChanged(channel: string): void {
    const subscription = this.#subscriptions.get(channel);
    if (subscription) subscription.events.presenceChanged();
    else if (this.#carried.has(channel)) this.#options.events.connectionChannel(channel).presenceChanged();
  }

  unsubscribed(channel: string, code: number): void {
    const subscription = this.#subscriptions.get(channel);
    if (subscription) this.#end(subscription, code, 'server unsubscribe');
    else if (this.#carried.delete(channel)) this.#options.events.connectionChannel(channel).ended(null, 'unsubscribed');
  }

  // ── one subscription ───────────────────────────────────────────────────────

  #ask(subscription: Subscription): void {
    const { broker, close } = this.#options;
    const { channel } = subscription;
    const link = this.#link;
    if (!link) return;
    const { session, wire } = link;
    const isWaiting = () => subscription.state === 'subscribing' && this.#subscriptions.get(channel) === subscription;
    wire.up(() => {
      if (!isWaiting()) return;
      const fault = subscription.token
        ? broker.faultOf(subscription.token, channel, session.userId)
        : MemoryCode.tokenExpired;
      if (fault === MemoryCode.tokenExpired) void this.#renew(subscription);
      else if (fault === MemoryCode.invalidToken) wire.down(() => close(fault, 'invalid token'));
      else if (fault !== null) wire.down(() => isWaiting() && this.#end(subscription, fault, 'permission denied'));
      else if (broker.isFull(session))
        wire.down(() => isWaiting() && this.#end(subscription, MemoryCode.limitExceeded, 'limit exceeded'));
      else {
        const join = broker.join(session, channel, subscription.position);
        wire.down(() => isWaiting() && this.#joined(subscription, join));
      }
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
    if (!expiresAtSeconds || subscription.state !== 'subscribed') return;
    subscription.cancelRenewal = clock.after(
      expiresAtSeconds * 1_000 - clock.now(),
      () => void this.#renew(subscription),
    );
  }

  async #renew(subscription: Subscription): Promise<void> {
    const link = this.#link;
    try {
      subscription.token = await subscription.options.renewToken();
    } catch {
      if (subscription.state !== 'ended') this.#end(subscription, UNAUTHORIZED, 'unauthorized');
      return;
    }
    if (link !== this.#link) return;
    if (subscription.state === 'subscribing') this.#ask(subscription);
    else this.#renewLater(subscription);
  }

  #end(subscription: Subscription, code: number, reason: string): void {
    const { channel } = subscription;
    subscription.state = 'ended';
    subscription.cancelRenewal();
    if (this.#subscriptions.get(channel) === subscription) this.#subscriptions.delete(channel);
    if (this.#link) this.#options.broker.leave(this.#link.session, channel);
    subscription.events.ended(code, reason);
  }

  #deliver(channel: string, { offset, data, tags }: StoredPublication, recovered: boolean): void {
    const publication: TransportPublication = { offset, data, tags, recovered };
    const move = (position: Position | null | undefined) =>
      position && offset !== null ? { ...position, offset } : (position ?? null);
    const subscription = this.#subscriptions.get(channel);
    if (subscription?.state === 'subscribed') {
      subscription.position = move(subscription.position);
      subscription.events.published(publication);
    } else if (!subscription && this.#carried.has(channel)) {
      this.#carried.set(channel, move(this.#carried.get(channel)));
      this.#options.events.connectionChannel(channel).published(publication);
    }
  }
}
