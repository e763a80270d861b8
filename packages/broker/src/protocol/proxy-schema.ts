import { list, map, one } from './schema.ts';

/**
 * What the broker asks the application, and what the application answers. Names as in JSON; numbers of Centrifugo's proxy protocol.
 * Source: https://centrifugal.dev/docs/server/proxy
 */

/** Stands at the head of every request. */
const client = {
  client: one(1, 'string'),
  transport: one(2, 'string'),
  protocol: one(3, 'string'),
  encoding: one(4, 'string'),
};

export const ProxyConnectRequest = {
  ...client,
  data: one(10, 'bytes'),
  b64data: one(11, 'string'),
  name: one(12, 'string'),
  version: one(13, 'string'),
  channels: list(14, 'string'),
};
export const ProxyRefreshRequest = { ...client, user: one(10, 'string'), meta: one(11, 'bytes') };
export const ProxySubscribeRequest = {
  ...client,
  user: one(10, 'string'),
  channel: one(11, 'string'),
  token: one(12, 'string'),
  meta: one(13, 'bytes'),
  data: one(14, 'bytes'),
  b64data: one(15, 'string'),
};
export const ProxyPublishRequest = {
  ...client,
  user: one(10, 'string'),
  channel: one(11, 'string'),
  data: one(12, 'bytes'),
  b64data: one(13, 'string'),
  meta: one(14, 'bytes'),
};
export const ProxyRpcRequest = {
  ...client,
  user: one(10, 'string'),
  method: one(11, 'string'),
  data: one(12, 'bytes'),
  b64data: one(13, 'string'),
  meta: one(14, 'bytes'),
};
export const ProxySubRefreshRequest = {
  ...client,
  user: one(10, 'string'),
  channel: one(11, 'string'),
  meta: one(12, 'bytes'),
};

const BoolValue = { value: one(1, 'bool') };
/** What may be decided per channel, by a token, an API call or the application. */
export const SubscribeOverride = {
  presence: one(1, BoolValue),
  join_leave: one(2, BoolValue),
  force_recovery: one(3, BoolValue),
  force_positioning: one(4, BoolValue),
  force_push_join_leave: one(5, BoolValue),
};

/** Options of one channel, in a token and in an API call. */
export const ChannelGrant = {
  info: one(1, 'bytes'),
  b64info: one(2, 'string'),
  data: one(3, 'bytes'),
  b64data: one(4, 'string'),
  override: one(5, SubscribeOverride),
};
const ChannelAnswer = {
  expire_at: one(1, 'int64'),
  info: one(2, 'bytes'),
  b64info: one(3, 'string'),
  data: one(4, 'bytes'),
  b64data: one(5, 'string'),
  override: one(6, SubscribeOverride),
};

/** The members that every answer has beside its result. */
const refusal = {
  error: one(2, { code: one(1, 'uint32'), message: one(2, 'string'), temporary: one(3, 'bool') }),
  disconnect: one(3, { code: one(1, 'uint32'), reason: one(2, 'string') }),
};

const ConnectResult = {
  user: one(1, 'string'),
  expire_at: one(2, 'int64'),
  info: one(3, 'bytes'),
  b64info: one(4, 'string'),
  data: one(5, 'bytes'),
  b64data: one(6, 'string'),
  channels: list(7, 'string'),
  subs: map(8, ChannelAnswer),
  meta: one(9, 'bytes'),
};
export const ProxyConnectResponse = { ...refusal, result: one(1, ConnectResult) };

const renewal = {
  expired: one(1, 'bool'),
  expire_at: one(2, 'int64'),
  info: one(3, 'bytes'),
  b64info: one(4, 'string'),
};
export const ProxyRefreshResponse = { ...refusal, result: one(1, { ...renewal, meta: one(5, 'bytes') }) };
export const ProxySubRefreshResponse = { ...refusal, result: one(1, renewal) };
export const ProxySubscribeResponse = { ...refusal, result: one(1, ChannelAnswer) };

const PublishResult = {
  data: one(1, 'bytes'),
  b64data: one(2, 'string'),
  skip_history: one(3, 'bool'),
  tags: map(4, 'string'),
  idempotency_key: one(5, 'string'),
  delta: one(6, 'bool'),
  version: one(7, 'uint64'),
  version_epoch: one(8, 'string'),
};
export const ProxyPublishResponse = { ...refusal, result: one(1, PublishResult) };
export const ProxyRpcResponse = {
  ...refusal,
  result: one(1, { data: one(1, 'bytes'), b64data: one(2, 'string') }),
};
