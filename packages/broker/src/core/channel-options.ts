import { BrokerConfigError } from './errors.ts';
import { compileGoRegex, type GoRegex } from './go-regex.ts';

/** Options of the channels of a namespace. Names and meaning are Centrifugo's: https://centrifugal.dev/docs/server/channels */
export interface ChannelOptions {
  /** Keep who is subscribed. @default false */
  readonly presence?: boolean;
  /** Tell subscribers who comes and goes, if they ask for it. @default false */
  readonly joinLeave?: boolean;
  /** Send joins and leaves to all subscribers, also those that did not ask. @default false */
  readonly forcePushJoinLeave?: boolean;
  /** Publications kept per channel; needs `historyTtlMs` too. @default 0: no history */
  readonly historySize?: number;
  /** How long publications are kept after the last one, in whole seconds. @default 0 */
  readonly historyTtlMs?: number;
  /** How long a stream's epoch and offset are kept after its last use. @default the broker's `channel.historyMetaTtlMs` */
  readonly historyMetaTtlMs?: number;
  /** Position all subscribers. @default false */
  readonly forcePositioning?: boolean;
  /** Let subscribers ask for positioning. @default false */
  readonly allowPositioning?: boolean;
  /** Recover missed publications for all subscribers. @default false */
  readonly forceRecovery?: boolean;
  /** Let subscribers ask for recovery. @default false */
  readonly allowRecovery?: boolean;
  /** `cache` recovers only the latest publication. @default 'stream' */
  readonly forceRecoveryMode?: 'stream' | 'cache';
  /** In cache mode, send the latest publication to every subscriber. @default false */
  readonly autoCacheRecover?: boolean;
  /** Delta types that subscribers may negotiate. @default none */
  readonly allowedDeltaTypes?: readonly 'fossil'[];
  /** Send deltas of every publication, not only of those published with `delta`. @default false */
  readonly deltaPublish?: boolean;
  /** Let subscribers filter by tags. @default false */
  readonly allowTagsFilter?: boolean;
  /** Any authenticated client may subscribe. @default false */
  readonly allowSubscribeForClient?: boolean;
  /** With `allowSubscribeForClient`: anonymous ones too. @default false */
  readonly allowSubscribeForAnonymous?: boolean;
  /** Any authenticated client may publish. @default false */
  readonly allowPublishForClient?: boolean;
  /** Subscribers may publish. @default false */
  readonly allowPublishForSubscriber?: boolean;
  /** With one of the two above: anonymous ones too. @default false */
  readonly allowPublishForAnonymous?: boolean;
  /** Any authenticated client may ask for presence. @default false */
  readonly allowPresenceForClient?: boolean;
  /** Subscribers may ask for presence. @default false */
  readonly allowPresenceForSubscriber?: boolean;
  /** With one of the two above: anonymous ones too. @default false */
  readonly allowPresenceForAnonymous?: boolean;
  /** Any authenticated client may read the history. @default false */
  readonly allowHistoryForClient?: boolean;
  /** Subscribers may read the history. @default false */
  readonly allowHistoryForSubscriber?: boolean;
  /** With one of the two above: anonymous ones too. @default false */
  readonly allowHistoryForAnonymous?: boolean;
  /** `news#17,42` may be subscribed by the users 17 and 42. @default false */
  readonly allowUserLimitedChannels?: boolean;
  /** Ask the application who may subscribe; what the namespace allows does not count then. @default false */
  readonly subscribeProxyEnabled?: boolean;
  /** A name out of `proxies`. @default 'default': `channel.proxy.subscribe` */
  readonly subscribeProxyName?: string;
  /** Ask the application about everything that clients publish; what the namespace allows does not count then. @default false */
  readonly publishProxyEnabled?: boolean;
  /** A name out of `proxies`. @default 'default': `channel.proxy.publish` */
  readonly publishProxyName?: string;
  /** Ask the application, and not the client, to prolong subscriptions that expire. @default false */
  readonly subRefreshProxyEnabled?: boolean;
  /** A name out of `proxies`. @default 'default': `channel.proxy.subRefresh` */
  readonly subRefreshProxyName?: string;
  /** The part behind the namespace must match; in Go's syntax. @default any ASCII */
  readonly channelRegex?: string;
  /** What publications must be. @default any data that is not empty */
  readonly publicationDataFormat?: 'json' | 'json_object' | 'binary';
}

/** Channel options with every default filled in. */
export interface ResolvedChannelOptions
  extends Required<Omit<ChannelOptions, 'channelRegex' | 'publicationDataFormat'>> {
  readonly channelRegex: GoRegex | undefined;
  readonly publicationDataFormat: 'json' | 'json_object' | 'binary' | undefined;
  /** Both size and time to live are set. */
  readonly hasHistory: boolean;
}

interface ChannelDefaults {
  readonly historyMetaTtlMs: number;
  readonly publicationDataFormat: ChannelOptions['publicationDataFormat'];
}

/** Fills in defaults and checks what belongs together. @throws BrokerConfigError (`invalid_config`) */
export function resolveChannelOptions(
  where: string,
  options: ChannelOptions,
  defaults: ChannelDefaults,
): ResolvedChannelOptions {
  const { channelRegex, publicationDataFormat = defaults.publicationDataFormat, ...given } = options;
  const resolved: ResolvedChannelOptions = {
    presence: false,
    joinLeave: false,
    forcePushJoinLeave: false,
    historySize: 0,
    historyTtlMs: 0,
    forcePositioning: false,
    allowPositioning: false,
    forceRecovery: false,
    allowRecovery: false,
    forceRecoveryMode: 'stream',
    autoCacheRecover: false,
    allowedDeltaTypes: [],
    deltaPublish: false,
    allowTagsFilter: false,
    allowSubscribeForClient: false,
    allowSubscribeForAnonymous: false,
    allowPublishForClient: false,
    allowPublishForSubscriber: false,
    allowPublishForAnonymous: false,
    allowPresenceForClient: false,
    allowPresenceForSubscriber: false,
    allowPresenceForAnonymous: false,
    allowHistoryForClient: false,
    allowHistoryForSubscriber: false,
    allowHistoryForAnonymous: false,
    allowUserLimitedChannels: false,
    subscribeProxyEnabled: false,
    subscribeProxyName: 'default',
    publishProxyEnabled: false,
    publishProxyName: 'default',
    subRefreshProxyEnabled: false,
    subRefreshProxyName: 'default',
    ...given,
    // Zero is no time of its own, but the broker's.
    historyMetaTtlMs: given.historyMetaTtlMs || defaults.historyMetaTtlMs,
    channelRegex: channelRegex ? compileGoRegex(`${where}: channel_regex`, channelRegex) : undefined,
    publicationDataFormat,
    hasHistory: (given.historySize ?? 0) > 0 && (given.historyTtlMs ?? 0) > 0,
  };
  check(where, resolved);
  return resolved;
}

function check(where: string, options: ResolvedChannelOptions): void {
  const fail = (problem: string): never => {
    throw new BrokerConfigError(`${where}: ${problem}`);
  };
  const { historySize, historyTtlMs, historyMetaTtlMs } = options;
  if (!Number.isInteger(historySize) || historySize < 0) fail('history_size must be a whole number ≥ 0.');
  if (historyTtlMs % 1000 !== 0) fail('history_ttl must be whole seconds.');
  if (historyMetaTtlMs % 1000 !== 0) fail('history_meta_ttl must be whole seconds.');
  if ((historySize !== 0) !== (historyTtlMs !== 0)) fail('history_size and history_ttl are needed together.');
  if (historyMetaTtlMs < historyTtlMs) fail('history_ttl cannot be greater than history_meta_ttl.');
  if (options.forceRecovery && !options.hasHistory) fail('force_recovery needs history_size and history_ttl.');
  if (options.autoCacheRecover && !(options.forceRecovery && options.forceRecoveryMode === 'cache'))
    fail('auto_cache_recover needs force_recovery with force_recovery_mode "cache".');
}
