import type { ByteString } from '../protocol/byte-string.ts';
import type { ClientInfo, FilterNodeValue } from '../protocol/schema.ts';
import type { Channel } from './channel.ts';
import type { Session } from './session.ts';

/** Who made a subscription. Those of the connection token must match the next token, or the connection is closed. */
export type SubscriptionSource = 'connection-token' | 'client' | 'server';

/** What a subscription may and does. */
export interface SubscriptionOptions {
  /** Shows up in the channel's presence. */
  readonly emitsPresence: boolean;
  /** Its coming and going is told to others. */
  readonly emitsJoinLeave: boolean;
  /** It is told of the coming and going of others. */
  readonly wantsJoinLeave: boolean;
  readonly isPositioned: boolean;
  readonly isRecoverable: boolean;
  readonly isCacheRecovery: boolean;
  /** Recover in cache mode although the client did not ask for it. */
  readonly recoversAlways: boolean;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  /** The client refreshes it with `sub_refresh`; otherwise the application does. */
  readonly isClientRefreshed: boolean;
  /** JSON shown to others as `chan_info`. */
  readonly info: ByteString | undefined;
  /** Sent to the client with the subscription. */
  readonly data: ByteString | undefined;
  readonly source: SubscriptionSource;
}

/** One client in one channel. */
export class Subscription {
  readonly session: Session;
  readonly channel: Channel;
  readonly options: SubscriptionOptions;
  readonly isServerSide: boolean;
  /** Unix time in seconds; 0 for never. */
  expireAt: number;
  info: ByteString | undefined;
  /** The stream that it follows; '' where it is not positioned. */
  epoch = '';
  /** Whether deltas were negotiated, and whether the client has what the next one builds on. */
  isDelta = false;
  isDeltaReady = false;
  /** Only publications that meet it are sent. */
  filter: FilterNodeValue | undefined = undefined;
  /** When its position was last known to be right, in Unix milliseconds. */
  checkedAtMs = 0;

  /** How it stands in the channel's presence, while that is not `clientInfo`: info changes at once, presence with the next round. */
  presentAs: ClientInfo | undefined = undefined;

  constructor(session: Session, channel: Channel, options: SubscriptionOptions, isServerSide: boolean) {
    this.session = session;
    this.channel = channel;
    this.options = options;
    this.isServerSide = isServerSide;
    this.expireAt = options.expireAt;
    this.info = options.info;
  }

  /** Whether it gets publications in a form of its own. */
  get isSpecial(): boolean {
    return this.isDelta || this.filter !== undefined;
  }

  changeInfo(info: ByteString | undefined): void {
    this.keepPresence();
    this.info = info;
  }

  /** Called before info changes. */
  keepPresence(): void {
    if (this.options.emitsPresence) this.presentAs ??= this.clientInfo;
  }

  /** How others see this client in this channel. */
  get clientInfo(): ClientInfo {
    return this.session.clientInfo(this.info);
  }
}
