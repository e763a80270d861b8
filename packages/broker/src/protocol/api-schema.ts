/** Requests and results of the server API. Source: https://centrifugal.dev/docs/server/server_api */
import { ChannelGrant } from './proxy-schema.ts';
import { ClientInfo, list, map, one } from './schema.ts';

const always = <const F extends object>(field: F) => ({ ...field, always: true as const });
const Position = { offset: one(1, 'uint64'), epoch: one(2, 'string') };

const publishOptions = {
  data: one(2, 'bytes'),
  b64data: one(3, 'string'),
  skip_history: one(4, 'bool'),
  tags: map(5, 'string'),
  idempotency_key: one(6, 'string'),
  delta: one(7, 'bool'),
  version: one(8, 'uint64'),
  version_epoch: one(9, 'string'),
};
const target = { user: one(2, 'string'), client: one(3, 'string'), session: one(4, 'string') };

export const PublishRequest = { channel: one(1, 'string'), ...publishOptions };
export const BroadcastRequest = { channels: list(1, 'string'), ...publishOptions };
export const SubscribeRequest = {
  channel: one(1, 'string'),
  ...target,
  ...ChannelGrant,
  expire_at: one(10, 'int64'),
  recover_since: one(11, Position),
};
export const UnsubscribeRequest = { channel: one(1, 'string'), ...target };
export const DisconnectRequest = {
  ...target,
  disconnect: one(5, { code: one(1, 'uint32'), reason: one(2, 'string') }),
  whitelist: list(6, 'string'),
};
export const RefreshRequest = {
  ...target,
  expired: one(5, 'bool'),
  expire_at: one(6, 'int64'),
  info: one(7, 'bytes'),
};
export const ChannelRequest = { channel: one(1, 'string') };
export const HistoryRequest = {
  channel: one(1, 'string'),
  limit: one(2, 'int32'),
  since: one(3, Position),
  reverse: one(4, 'bool'),
};
export const ChannelsRequest = { pattern: one(1, 'string') };
export const InfoRequest = {};
export const RpcRequest = { method: one(1, 'string'), params: one(2, 'bytes') };

/** Of maps, which are not served: what all their methods ask for first. */
export const MapChannelRequest = { channel: one(1, 'string') };
export const MapKeyRequest = { channel: one(1, 'string'), key: one(2, 'string') };

const Publication = {
  data: one(2, 'bytes'),
  info: one(3, ClientInfo),
  offset: one(4, 'uint64'),
  tags: map(5, 'string'),
};
export const PublishResult = Position;
export const ApiError = { code: one(1, 'uint32'), message: one(2, 'string') };
export const PublishResponse = { error: one(1, ApiError), result: one(2, PublishResult) };
export const BroadcastResult = { responses: always(list(1, PublishResponse)) };
export const Empty = {};
export const HistoryResult = {
  publications: always(list(1, Publication)),
  epoch: always(one(2, 'string')),
  offset: always(one(3, 'uint64')),
};
export const PresenceResult = { presence: always(map(1, ClientInfo)) };
export const PresenceStatsResult = { num_clients: always(one(1, 'uint32')), num_users: always(one(2, 'uint32')) };
export const ChannelsResult = { channels: always(map(1, { num_clients: always(one(1, 'uint32')) })) };
export const InfoResult = {
  nodes: list(1, {
    uid: one(1, 'string'),
    name: always(one(2, 'string')),
    version: one(3, 'string'),
    num_clients: always(one(4, 'uint32')),
    num_users: always(one(5, 'uint32')),
    num_channels: always(one(6, 'uint32')),
    uptime: one(7, 'uint32'),
    num_subs: always(one(10, 'uint32')),
  }),
};
export const RpcResult = { data: one(1, 'bytes') };

/** Exactly one member, named after the method. */
export const BatchCommand = {
  publish: one(4, PublishRequest),
  broadcast: one(5, BroadcastRequest),
  subscribe: one(6, SubscribeRequest),
  unsubscribe: one(7, UnsubscribeRequest),
  disconnect: one(8, DisconnectRequest),
  presence: one(9, ChannelRequest),
  presence_stats: one(10, ChannelRequest),
  history: one(11, HistoryRequest),
  history_remove: one(12, ChannelRequest),
  info: one(13, InfoRequest),
  rpc: one(14, RpcRequest),
  refresh: one(15, RefreshRequest),
  channels: one(16, ChannelsRequest),
  map_publish: one(36, MapKeyRequest),
  map_remove: one(37, MapKeyRequest),
  map_read_state: one(38, MapChannelRequest),
  map_read_stream: one(39, MapChannelRequest),
  map_stats: one(40, MapChannelRequest),
  map_clear: one(41, MapChannelRequest),
  shared_poll_publish: one(42, MapKeyRequest),
};
/** A command of the old form, in which all methods share one path. */
export const LegacyCommand = { id: one(1, 'uint32'), method: one(2, 'bytes'), params: one(3, 'bytes') };
export const BatchRequest = { commands: list(1, BatchCommand), parallel: one(2, 'bool') };
