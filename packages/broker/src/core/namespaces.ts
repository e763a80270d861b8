import { isAscii } from '../protocol/byte-string.ts';
import type { ResolvedChannelOptions } from './channel-options.ts';
import type { Settings } from './settings.ts';

/** What a channel's name says about it. */
export interface ChannelKind {
  /** The name without its namespace. */
  readonly rest: string;
  readonly options: ResolvedChannelOptions;
}

/** The rules that a channel's name decides. */
export class Namespaces {
  readonly #settings: Settings['channel'];
  constructor(settings: Settings['channel']) {
    this.#settings = settings;
  }

  /** The options of a channel, or `undefined` where its namespace is not configured. */
  find(channel: string): ChannelKind | undefined {
    const { namespaceBoundary: boundary, privatePrefix, namespaces, withoutNamespace } = this.#settings;
    const start = this.isPrivate(channel) ? privatePrefix.length : 0;
    const at = boundary ? channel.indexOf(boundary, start) : -1;
    const namespace = at < 0 ? '' : channel.slice(start, at);
    if (namespace === '')
      return { rest: at < 0 ? channel : channel.slice(at + boundary.length), options: withoutNamespace };
    const options = namespaces.get(namespace);
    return options && { rest: channel.slice(at + boundary.length), options };
  }

  /** Whether a client may use a channel of this name at all. */
  isValidName(channel: string, { rest, options }: ChannelKind): boolean {
    return options.channelRegex ? options.channelRegex.test(rest) : isAscii(channel);
  }

  /** A private channel needs a subscription token. */
  isPrivate(channel: string): boolean {
    const { privatePrefix } = this.#settings;
    return privatePrefix !== '' && channel.startsWith(privatePrefix);
  }

  /** Whether the name lists the users that may subscribe, as in `news#17,42`. */
  isUserLimited(channel: string, { options }: ChannelKind): boolean {
    const { userBoundary } = this.#settings;
    return options.allowUserLimitedChannels && userBoundary !== '' && channel.includes(userBoundary);
  }

  /** Whether a user-limited channel lists this user. */
  listsUser(channel: string, user: string): boolean {
    const { userBoundary, userSeparator } = this.#settings;
    const users = channel.slice(channel.lastIndexOf(userBoundary) + userBoundary.length);
    return userSeparator === '' ? users === user : users.split(userSeparator).includes(user);
  }

  /** The channel that belongs to one user alone. */
  personalChannel(namespace: string, user: string): string {
    const { namespaceBoundary, userBoundary } = this.#settings;
    return `${namespace === '' ? '' : `${namespace}${namespaceBoundary}`}${userBoundary}${user}`;
  }
}
