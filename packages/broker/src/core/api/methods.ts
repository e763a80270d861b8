import * as schemas from '../../protocol/api-schema.ts';
import type { ByteString } from '../../protocol/byte-string.ts';
import { ApiErrors, type Disconnect, Disconnects, type ReplyError, Unsubscribes } from '../../protocol/codes.ts';
import { encodeGoJson } from '../../protocol/go-json.ts';
import type { Decoded, Message, Schema } from '../../protocol/schema.ts';
import { unixSeconds } from '../clock.ts';
import { SERVER_VERSION } from '../commands/connect.ts';
import { announceJoin, join, MAX_TTL_SECONDS, subscriptionOptions } from '../commands/join.ts';
import type { Engine } from '../engine.ts';
import { isGlob, matchesGlob } from '../glob.ts';
import type { ChannelKind } from '../namespaces.ts';
import { isAcceptable, isJson } from '../publication-data.ts';
import type { Session } from '../session.ts';
import type { Position } from '../stream.ts';
import { bytesOf, grantOf } from '../token-claims.ts';

/** A result, already as JSON, or an error. */
export type ApiOutcome = { readonly result: ByteString } | { readonly error: ReplyError };

/** How a method reads its request and what it does. */
interface ApiMethod<S extends Schema> {
  readonly request: S;
  run(engine: Engine, request: Decoded<S>): ApiOutcome;
}

const method = <S extends Schema>(
  request: S,
  run: (engine: Engine, request: Decoded<S>) => ApiOutcome,
): ApiMethod<S> => ({ request, run });

const ok = <S extends Schema>(schema: S, message: Message<S>): ApiOutcome => ({
  result: encodeGoJson(schema, message),
});
const fail = (error: ReplyError): { readonly error: ReplyError } => ({ error });
const DONE: ApiOutcome = { result: '{}' };

function findChannel(engine: Engine, channel: string): ChannelKind | { readonly error: ReplyError } {
  if (channel === '') return fail(ApiErrors.BadRequest);
  return engine.namespaces.find(channel) ?? fail(ApiErrors.UnknownChannel);
}

interface PublishOptions extends Omit<Decoded<typeof schemas.PublishRequest>, 'channel'> {}

function publishTo(engine: Engine, channel: string, options: PublishOptions): Position | ReplyError {
  if (channel === '') return ApiErrors.BadRequest;
  const decoded = bytesOf(options.data, options.b64data);
  if (!decoded) return ApiErrors.BadRequest;
  const kind = engine.namespaces.find(channel);
  if (!kind) return ApiErrors.UnknownChannel;
  const data = decoded.bytes ?? '';
  if (!isAcceptable(data, kind.options.publicationDataFormat)) return ApiErrors.BadRequest;
  const position = engine.publish({
    channel,
    options: kind.options,
    data,
    isJson: options.b64data === '' || isJson(data),
    tags: options.tags.size > 0 ? options.tags : undefined,
    idempotencyKey: options.idempotency_key,
    skipsHistory: options.skip_history,
    usesDelta: options.delta,
    version: options.version,
    versionEpoch: options.version_epoch,
  });
  return position ?? NOWHERE;
}

/** The position of a publication that is in no history. */
const NOWHERE: Position = { offset: 0, epoch: '' };

const publish = method(schemas.PublishRequest, (engine, request) => {
  const outcome = publishTo(engine, request.channel, request);
  if ('code' in outcome) return fail(outcome);
  // Written by hand: the busiest answer of the API.
  return { result: outcome === NOWHERE ? '{}' : `{"offset":${outcome.offset},"epoch":"${outcome.epoch}"}` };
});

const broadcast = method(schemas.BroadcastRequest, (engine, request) => {
  if (request.channels.length === 0 || !bytesOf(request.data, request.b64data)) return fail(ApiErrors.BadRequest);
  const responses = request.channels.map((channel) => {
    const outcome = publishTo(engine, channel, request);
    return 'code' in outcome ? { error: outcome } : { result: outcome };
  });
  return ok(schemas.BroadcastResult, { responses });
});

interface Target {
  readonly user: string;
  readonly client: string;
  readonly session: string;
}

/** The connections that a call means: all of a user, or one of them. Without a user, those that connected without one. */
function targets(engine: Engine, { user, client, session }: Target): Session[] {
  return engine.hub
    .ofUser(user)
    .filter(({ id, sessionId }) => (client === '' || client === id) && (session === '' || session === sessionId));
}

const subscribe = method(schemas.SubscribeRequest, (engine, request) => {
  const kind = findChannel(engine, request.channel);
  if ('error' in kind) return kind;
  const grant = grantOf(request, request.expire_at);
  if (!grant) return fail(ApiErrors.BadRequest);
  const { recover_since: since } = request;
  const recovery = {
    recover: since !== undefined,
    offset: since?.offset ?? 0,
    epoch: since?.epoch ?? '',
    flag: 0,
    type: 0,
    delta: '',
    tf: undefined,
  };
  let error: ReplyError | undefined;
  for (const session of targets(engine, request)) {
    const { channelLimit } = engine.settings.client;
    if (channelLimit > 0 && session.subscriptions.size >= channelLimit) {
      session.close(Disconnects.ChannelLimit);
      continue;
    }
    // A second subscription replaces the first one.
    const before = session.subscriptions.get(request.channel);
    const base = subscriptionOptions(kind.options, 'server', grant);
    // Recovery without being asked is for those who subscribe or connect.
    const options = base.recoversAlways ? { ...base, recoversAlways: false } : base;
    const outcome = join(session, request.channel, kind.options, options, recovery, true);
    if (before && 'subscription' in outcome) engine.hub.removeSubscription(before);
    if ('error' in outcome) error = ApiErrors.Internal;
    else if ('disconnect' in outcome) session.close(outcome.disconnect);
    else {
      const { recoverable, epoch, offset, positioned, data } = outcome.result;
      const channel = request.channel;
      session.push({ channel, subscribe: { recoverable, epoch, offset, positioned, data } });
      announceJoin(outcome.subscription);
    }
  }
  return error ? fail(error) : DONE;
});

const unsubscribe = method(schemas.UnsubscribeRequest, (engine, request) => {
  if (request.channel !== '' && !engine.namespaces.find(request.channel)) return fail(ApiErrors.UnknownChannel);
  // All are told, also those that were not subscribed; and without a channel, of none.
  for (const session of targets(engine, request)) {
    const subscription = session.subscriptions.get(request.channel);
    if (subscription) session.unsubscribe(subscription);
    session.push({ channel: request.channel, unsubscribe: Unsubscribes.Server });
  }
  return DONE;
});

const disconnect = method(schemas.DisconnectRequest, (engine, request) => {
  const why: Disconnect = request.disconnect ?? Disconnects.ForceNoReconnect;
  for (const session of targets(engine, request)) if (!request.whitelist.includes(session.id)) session.close(why);
  return DONE;
});

const refresh = method(schemas.RefreshRequest, (engine, request) => {
  const now = unixSeconds(engine.surroundings.clock);
  const expireAt = Math.min(request.expire_at, now + MAX_TTL_SECONDS);
  for (const session of targets(engine, request)) {
    if (request.expired || (expireAt > 0 && expireAt <= now)) session.close(Disconnects.Expired);
    else {
      session.expireAt = Math.max(expireAt, 0);
      if (request.info !== undefined && expireAt > 0) session.changeInfo(request.info);
      session.scheduleExpiry();
      session.push({ refresh: { expires: expireAt > 0, ttl: expireAt > 0 ? expireAt - now : 0 } });
    }
  }
  return DONE;
});

const presence = method(schemas.ChannelRequest, (engine, { channel }) => {
  const kind = findChannel(engine, channel);
  if ('error' in kind) return kind;
  if (!kind.options.presence) return fail(ApiErrors.NotAvailable);
  return ok(schemas.PresenceResult, { presence: engine.presence(channel) });
});

const presenceStats = method(schemas.ChannelRequest, (engine, { channel }) => {
  const kind = findChannel(engine, channel);
  if ('error' in kind) return kind;
  if (!kind.options.presence) return fail(ApiErrors.NotAvailable);
  const { clients, users } = engine.presenceStats(channel);
  return ok(schemas.PresenceStatsResult, { num_clients: clients, num_users: users });
});

const history = method(schemas.HistoryRequest, (engine, { channel, limit, since, reverse }) => {
  const kind = findChannel(engine, channel);
  if ('error' in kind) return kind;
  if (!kind.options.hasHistory) return fail(ApiErrors.NotAvailable);
  const outcome = engine.history(channel, kind.options, { limit, since, isReverse: reverse });
  if ('code' in outcome)
    return fail(
      outcome.code === ApiErrors.UnrecoverablePosition.code ? ApiErrors.UnrecoverablePosition : ApiErrors.Internal,
    );
  const { publications, position } = outcome;
  return ok(schemas.HistoryResult, { publications, ...position });
});

const historyRemove = method(schemas.ChannelRequest, (engine, { channel }) => {
  const kind = findChannel(engine, channel);
  if ('error' in kind) return kind;
  if (!kind.options.hasHistory) return fail(ApiErrors.NotAvailable);
  engine.removeHistory(channel);
  return DONE;
});

const channels = method(schemas.ChannelsRequest, (engine, { pattern }) => {
  const found = new Map<string, { num_clients: number }>();
  if (!isGlob(pattern)) return fail(ApiErrors.Internal);
  for (const { name, subscribers } of engine.hub.activeChannels())
    if (pattern === '' || matchesGlob(pattern, name)) found.set(name, { num_clients: subscribers.size });
  return ok(schemas.ChannelsResult, { channels: found });
});

const info = method(schemas.InfoRequest, (engine) => {
  const { hub } = engine;
  const node = {
    uid: engine.nodeId,
    name: engine.settings.name,
    version: SERVER_VERSION,
    num_clients: hub.sessions.size,
    num_users: hub.userCount,
    num_channels: [...hub.activeChannels()].length,
    num_subs: hub.subscriptionCount,
    uptime: Math.floor((engine.nowMs - engine.startedAtMs) / 1000),
  };
  return ok(schemas.InfoResult, { nodes: [node] });
});

/** Calls of server extensions, of which there are none. */
const rpc = method(schemas.RpcRequest, (_engine, request) =>
  fail(request.method === '' ? ApiErrors.BadRequest : ApiErrors.NotFound),
);

/** No namespace here is one of maps, so all methods of maps refuse every channel: a missing name or key first, then an unknown namespace. */
function refuseMap(engine: Engine, channel: string, isComplete: boolean): ApiOutcome {
  if (!isComplete || engine.namespaces.find(channel)) return fail(ApiErrors.BadRequest);
  return fail(ApiErrors.UnknownChannel);
}
const mapMethod = method(schemas.MapChannelRequest, (engine, { channel }) =>
  refuseMap(engine, channel, channel !== ''),
);
const mapKeyMethod = method(schemas.MapKeyRequest, (engine, { channel, key }) =>
  refuseMap(engine, channel, channel !== '' && key !== ''),
);
/** No channel here is polled. */
const sharedPollPublish = method(schemas.MapKeyRequest, () => fail(ApiErrors.BadRequest));

/** All methods but `batch`, by their names in paths and batches. */
export const apiMethods = {
  publish,
  broadcast,
  subscribe,
  unsubscribe,
  disconnect,
  presence,
  presence_stats: presenceStats,
  history,
  history_remove: historyRemove,
  info,
  rpc,
  refresh,
  channels,
  map_publish: mapKeyMethod,
  map_remove: mapKeyMethod,
  map_read_state: mapMethod,
  map_read_stream: mapMethod,
  map_stats: mapMethod,
  map_clear: mapMethod,
  shared_poll_publish: sharedPollPublish,
};
