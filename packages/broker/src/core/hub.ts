import { Channel } from './channel.ts';
import type { ResolvedChannelOptions } from './channel-options.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** Who is connected, and which channels there are. */
export class Hub {
  readonly sessions = new Map<string, Session>();
  readonly channels = new Map<string, Channel>();
  /** Sessions whose commands come by other requests, by the id that only they know. */
  readonly bySessionId = new Map<string, Session>();
  /** Most users have one connection, and a set of one would cost 170 bytes. */
  readonly #byUser = new Map<string, Session | Set<Session>>();
  #subscriptions = 0;

  get userCount(): number {
    return this.#byUser.size;
  }

  get subscriptionCount(): number {
    return this.#subscriptions;
  }

  /** Channels with subscribers, as Centrifugo counts them. */
  *activeChannels(): Iterable<Channel> {
    for (const channel of this.channels.values()) if (channel.subscribers.size > 0) yield channel;
  }

  /** The connections of a user. The empty user is everybody who connected without one. */
  ofUser(user: string): Session[] {
    const sessions = this.#byUser.get(user);
    if (sessions === undefined) return [];
    return sessions instanceof Set ? [...sessions] : [sessions];
  }

  addSession(session: Session): void {
    this.sessions.set(session.id, session);
    if (session.sessionId !== '') this.bySessionId.set(session.sessionId, session);
    const others = this.#byUser.get(session.user);
    if (others === undefined) this.#byUser.set(session.user, session);
    else if (others instanceof Set) others.add(session);
    else this.#byUser.set(session.user, new Set([others, session]));
  }

  removeSession(session: Session): void {
    if (!this.sessions.delete(session.id)) return;
    this.bySessionId.delete(session.sessionId);
    const others = this.#byUser.get(session.user);
    if (others instanceof Set) others.delete(session);
    if (others === session || (others instanceof Set && others.size === 0)) this.#byUser.delete(session.user);
  }

  /** The channel of this name, made if need be. */
  channel(name: string, options: ResolvedChannelOptions): Channel {
    let channel = this.channels.get(name);
    if (!channel) {
      channel = new Channel(name, options);
      this.channels.set(name, channel);
    }
    return channel;
  }

  addSubscription(subscription: Subscription): void {
    subscription.channel.subscribers.add(subscription);
    this.#subscriptions++;
  }

  removeSubscription(subscription: Subscription): void {
    if (subscription.channel.subscribers.delete(subscription)) this.#subscriptions--;
    this.dropIfIdle(subscription.channel);
  }

  dropIfIdle(channel: Channel): void {
    if (channel.isIdle) this.channels.delete(channel.name);
  }
}
