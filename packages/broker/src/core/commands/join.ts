import { type Disconnect, Disconnects, type ReplyError, ReplyErrors } from '../../protocol/codes.ts';
import type { StoredPublication } from '../../protocol/encoding.ts';
import type { FilterNodeValue, Publication, SubscribeResult } from '../../protocol/schema.ts';
import type { ResolvedChannelOptions } from '../channel-options.ts';
import { unixSeconds } from '../clock.ts';
import { makeDeltas } from '../delta.ts';
import type { Session } from '../session.ts';
import type { ChannelStream, Position, RecoveryResult } from '../stream.ts';
import { Subscription, type SubscriptionOptions, type SubscriptionSource } from '../subscription.ts';
import { isValidFilter, matchesTags } from '../tags-filter.ts';
import type { Grant } from '../token-claims.ts';

/** Expiry further away than this would overflow timers on the real server; it is cut to a year there and here. */
export const MAX_TTL_SECONDS = 365 * 24 * 3600;

/** The client asks to get no subscription rather than one that is not recovered. */
const FLAG_REJECT_UNRECOVERED = 2;

/** Types of subscriptions from here on are unknown; a negative one counts as none. */
const FIRST_UNKNOWN_TYPE = 5;

/** What the client says about its last subscription of the channel, and how it wants publications. */
interface Wishes extends Position {
  readonly recover: boolean;
  readonly flag: number;
  /** Kind of subscription; 0 for a stream. */
  readonly type: number;
  /** Delta type; '' for none. */
  readonly delta: string;
  /** Condition over tags. */
  readonly tf: FilterNodeValue | undefined;
}

type Joined =
  | { readonly subscription: Subscription; readonly result: SubscribeResult }
  | { readonly error: ReplyError }
  | { readonly disconnect: Disconnect };

/** Most subscriptions of a namespace have the same options; they share one object. */
const plainOptions = new WeakMap<ResolvedChannelOptions, Map<SubscriptionSource, SubscriptionOptions>>();

/** What the namespace says, changed by what a token, the API or the application says about this client. */
export function subscriptionOptions(
  channel: ResolvedChannelOptions,
  source: SubscriptionSource,
  grant?: Grant,
): SubscriptionOptions {
  if (grant && !isPlain(grant)) return makeOptions(channel, source, grant);
  let bySource = plainOptions.get(channel);
  if (!bySource) {
    bySource = new Map();
    plainOptions.set(channel, bySource);
  }
  let options = bySource.get(source);
  if (!options) {
    options = makeOptions(channel, source, undefined);
    bySource.set(source, options);
  }
  return options;
}

function isPlain({ info, data, override, expireAt }: Grant): boolean {
  return info === undefined && data === undefined && override === undefined && expireAt === 0;
}

function makeOptions(
  channel: ResolvedChannelOptions,
  source: SubscriptionSource,
  grant: Grant | undefined,
): SubscriptionOptions {
  const override = grant?.override;
  const isRecoverable = override?.force_recovery?.value ?? channel.forceRecovery;
  const isCacheRecovery = channel.forceRecoveryMode === 'cache';
  return {
    emitsPresence: override?.presence?.value ?? channel.presence,
    emitsJoinLeave: override?.join_leave?.value ?? channel.joinLeave,
    wantsJoinLeave: override?.force_push_join_leave?.value ?? channel.forcePushJoinLeave,
    isPositioned: override?.force_positioning?.value ?? channel.forcePositioning,
    isRecoverable,
    isCacheRecovery,
    recoversAlways: channel.autoCacheRecover && isRecoverable && isCacheRecovery,
    expireAt: grant?.expireAt ?? 0,
    isClientRefreshed: !channel.subRefreshProxyEnabled,
    info: grant?.info,
    data: grant?.data,
    source,
  };
}

/** A publication as clients get it. */
export function publicationMessage(publication: StoredPublication): Publication {
  const { data, info, offset, tags, epoch, version, isDelta = false } = publication;
  return { data, info, offset, tags, epoch, version, delta: isDelta };
}

/**
 * Puts a client into a channel. Position, recovered publications and the entry into the channel's list belong together:
 * all of this is one synchronous step, and the caller sends the result before it returns to the event loop.
 */
export function join(
  session: Session,
  name: string,
  channelOptions: ResolvedChannelOptions,
  options: SubscriptionOptions,
  wishes: Wishes,
  isServerSide: boolean,
): Joined {
  const { engine } = session;
  const ttl = options.expireAt - unixSeconds(engine.surroundings.clock);
  if (options.expireAt > 0 && ttl <= 0) return { error: ReplyErrors.Expired };
  const filter = wishes.tf;
  if (filter !== undefined && !(channelOptions.allowTagsFilter && isValidFilter(filter)))
    return { error: ReplyErrors.BadRequest };
  if (wishes.type >= FIRST_UNKNOWN_TYPE) return { disconnect: Disconnects.ServerError };
  const isExpiring = options.expireAt > 0 && !isServerSide && options.isClientRefreshed;

  const channel = engine.hub.channel(name, channelOptions);
  const { encoding } = session.peer;
  const subscription = new Subscription(session, channel, options, isServerSide);
  subscription.filter = filter;
  subscription.isDelta = channelOptions.allowedDeltaTypes.some((type) => type === wishes.delta);
  const isRecovering = wishes.recover || options.recoversAlways;
  const stream = options.isPositioned || options.isRecoverable ? engine.stream(channel) : undefined;
  const recovery =
    stream && options.isRecoverable && isRecovering ? recover(session, stream, options, wishes) : undefined;
  const isRecovered = recovery?.isRecovered ?? false;
  if (recovery && !isRecovered && wishes.flag & FLAG_REJECT_UNRECOVERED && !options.isCacheRecovery)
    return { error: ReplyErrors.UnrecoverablePosition };
  const publications = recovery?.publications ?? [];
  if (encoding.name === 'json' && publications.some((publication) => !publication.isJson))
    return { disconnect: Disconnects.InappropriateProtocol };
  if (stream) {
    subscription.epoch = stream.epoch;
    subscription.checkedAtMs = engine.nowMs;
    subscription.isDeltaReady = isRecovered;
  }
  session.addSubscription(subscription);
  const result: SubscribeResult = {
    expires: isExpiring,
    ttl: isExpiring ? ttl : 0,
    data: options.data,
    was_recovering: isRecovering,
    delta: subscription.isDelta,
    positioned: stream !== undefined,
    recoverable: stream !== undefined && options.isRecoverable,
    epoch: stream?.epoch,
    // Recovered: the place from which on, so that the publications that follow count it up. Else: the top.
    offset: isRecovered ? wishes.offset : stream?.top,
    recovered: isRecovered,
    publications: (subscription.isDelta ? makeDeltas(encoding, publications) : publications).map(publicationMessage),
  };
  return { subscription, result };
}

/** What the client has missed, of that what passes its filter. */
function recover(
  { engine }: Session,
  stream: ChannelStream,
  options: SubscriptionOptions,
  wishes: Wishes,
): RecoveryResult {
  const { tf: filter } = wishes;
  const passes = ({ tags }: StoredPublication) => filter === undefined || matchesTags(filter, tags);
  if (options.isCacheRecovery) return stream.recoverLatest(wishes, passes);
  const recovery = stream.recover(wishes, engine.settings.client.recoveryMaxPublicationLimit);
  return filter === undefined ? recovery : { ...recovery, publications: recovery.publications.filter(passes) };
}

/** Tells the others; after the client itself knows. */
export function announceJoin({ options, channel, clientInfo, session }: Subscription): void {
  if (options.emitsJoinLeave) session.engine.announce('join', channel, clientInfo);
}
