/**
 * The messages of Centrifugo's client protocol, version 2, once for all encodings: names as in JSON, numbers as in Protobuf.
 * Source: https://centrifugal.dev/docs/transports/client_protocol
 */

/** `json` is any JSON, parsed; it stands in JSON alone. */
export type Scalar = 'string' | 'bool' | 'uint32' | 'uint64' | 'int32' | 'int64' | 'sint64' | 'bytes' | 'json';

export interface Field {
  /** Field number in Protobuf. */
  readonly number: number;
  readonly type: Scalar | Schema;
  /** A map's keys are strings. */
  readonly shape: 'one' | 'list' | 'map';
  /** Written in JSON also where it is empty or zero. */
  readonly always?: boolean;
}

export interface Schema {
  readonly [name: string]: Field;
}

type ScalarValue<T extends Scalar> = T extends 'string' | 'bytes'
  ? string
  : T extends 'bool'
    ? boolean
    : T extends 'json'
      ? unknown
      : number;
type TypeValue<T extends Scalar | Schema, M extends 'in' | 'out'> = T extends Scalar
  ? ScalarValue<T>
  : T extends Schema
    ? M extends 'in'
      ? Decoded<T>
      : Message<T>
    : never;
type FieldValue<F extends Field, M extends 'in' | 'out'> = F['shape'] extends 'list'
  ? readonly TypeValue<F['type'], M>[]
  : F['shape'] extends 'map'
    ? ReadonlyMap<string, TypeValue<F['type'], M>>
    : TypeValue<F['type'], M>;
type MayBeAbsent<F extends Field> = F['shape'] extends 'one'
  ? F['type'] extends Schema | 'bytes' | 'json'
    ? true
    : false
  : false;

/** A message to encode. What is absent, empty, zero or false is left out (except fields marked `always`). `bytes` are byte strings. */
export type Message<S extends Schema> = { readonly [K in keyof S]?: FieldValue<S[K], 'out'> | undefined };

/** A decoded message: scalars have their zero value where absent; messages and bytes are then `undefined`. */
export type Decoded<S extends Schema> = {
  [K in keyof S]: FieldValue<S[K], 'in'> | (MayBeAbsent<S[K]> extends true ? undefined : never);
};

export const one = <const T extends Scalar | Schema>(number: number, type: T) => ({
  number,
  type,
  shape: 'one' as const,
});
const always = <const T extends Scalar | Schema>(number: number, type: T) => ({ ...one(number, type), always: true });
export const list = <const T extends Scalar | Schema>(number: number, type: T) => ({
  number,
  type,
  shape: 'list' as const,
});
export const map = <const T extends Scalar | Schema>(number: number, type: T) => ({
  number,
  type,
  shape: 'map' as const,
});

const ErrorMessage = { code: always(1, 'uint32'), message: one(2, 'string'), temporary: one(3, 'bool') };

export const ClientInfo = {
  user: always(1, 'string'),
  client: always(2, 'string'),
  conn_info: one(3, 'bytes'),
  chan_info: one(4, 'bytes'),
};

export const Publication = {
  data: one(4, 'bytes'),
  info: one(5, ClientInfo),
  offset: one(6, 'uint64'),
  tags: map(7, 'string'),
  delta: one(8, 'bool'),
  time: one(9, 'int64'),
  channel: one(10, 'string'),
  epoch: one(14, 'string'),
  version: one(16, 'uint64'),
};

/** A condition over publication tags; the `nodes` of `and`, `or` and `not` are conditions themselves. */
export interface FilterNodeValue {
  readonly op: string;
  readonly key: string;
  readonly cmp: string;
  readonly val: string;
  readonly vals: readonly string[];
  readonly nodes: readonly FilterNodeValue[];
}
type TextField<S extends Field['shape']> = { readonly number: number; readonly type: 'string'; readonly shape: S };
interface FilterNodeSchema extends Schema {
  readonly op: TextField<'one'>;
  readonly key: TextField<'one'>;
  readonly cmp: TextField<'one'>;
  readonly val: TextField<'one'>;
  readonly vals: TextField<'list'>;
  readonly nodes: { readonly number: number; readonly type: FilterNodeSchema; readonly shape: 'list' };
}
/** Nests in itself. */
const FilterNode: FilterNodeSchema = {
  op: one(1, 'string'),
  key: one(2, 'string'),
  cmp: one(3, 'string'),
  val: one(4, 'string'),
  vals: list(5, 'string'),
  get nodes() {
    return list(6, FilterNode);
  },
};

export const SubscribeRequest = {
  channel: one(1, 'string'),
  token: one(2, 'string'),
  recover: one(3, 'bool'),
  epoch: one(6, 'string'),
  offset: one(7, 'uint64'),
  data: one(8, 'bytes'),
  positioned: one(9, 'bool'),
  recoverable: one(10, 'bool'),
  join_leave: one(11, 'bool'),
  delta: one(12, 'string'),
  tf: one(13, FilterNode),
  flag: one(14, 'int64'),
  type: one(15, 'int32'),
  // Of maps: not served, but malformed where they are.
  phase: one(16, 'int32'),
  cursor: one(17, 'string'),
  limit: one(18, 'int32'),
  asc: one(19, 'bool'),
};

export const SubscribeResult = {
  expires: one(1, 'bool'),
  ttl: one(2, 'uint32'),
  recoverable: one(3, 'bool'),
  epoch: one(6, 'string'),
  publications: list(7, Publication),
  recovered: one(8, 'bool'),
  offset: one(9, 'uint64'),
  positioned: one(10, 'bool'),
  data: one(11, 'bytes'),
  was_recovering: one(12, 'bool'),
  delta: one(13, 'bool'),
};

export const ConnectRequest = {
  token: one(1, 'string'),
  data: one(2, 'bytes'),
  subs: map(3, SubscribeRequest),
  name: one(4, 'string'),
  version: one(5, 'string'),
  headers: map(6, 'string'),
  flag: one(7, 'int64'),
};

export const ConnectResult = {
  client: one(1, 'string'),
  version: one(2, 'string'),
  expires: one(3, 'bool'),
  ttl: one(4, 'uint32'),
  data: one(5, 'bytes'),
  subs: map(6, SubscribeResult),
  ping: one(7, 'uint32'),
  pong: one(8, 'bool'),
  session: one(9, 'string'),
  node: one(10, 'string'),
  time: one(11, 'int64'),
};

const ChannelRequest = { channel: one(1, 'string') };
const Empty = {};
const StreamPosition = { offset: one(1, 'uint64'), epoch: one(2, 'string') };

export const HistoryRequest = {
  channel: one(1, 'string'),
  limit: one(7, 'int32'),
  since: one(8, StreamPosition),
  reverse: one(9, 'bool'),
};

/** Of polled channels: not served, but malformed where it is. */
const TrackBatch = {
  signature: one(1, 'string'),
  items: list(2, { key: one(1, 'string'), version: one(2, 'uint64') }),
};

/** Exactly one of the members besides `id`; none at all is a pong. */
export const Command = {
  id: one(1, 'uint32'),
  connect: one(4, ConnectRequest),
  subscribe: one(5, SubscribeRequest),
  unsubscribe: one(6, ChannelRequest),
  publish: one(7, {
    channel: one(1, 'string'),
    data: one(2, 'bytes'),
    type: one(3, 'int32'),
    key: one(4, 'string'),
    removed: one(5, 'bool'),
  }),
  presence: one(8, ChannelRequest),
  presence_stats: one(9, ChannelRequest),
  history: one(10, HistoryRequest),
  ping: one(11, Empty),
  send: one(12, { data: one(1, 'bytes') }),
  rpc: one(13, { data: one(1, 'bytes'), method: one(2, 'string') }),
  refresh: one(14, { token: one(1, 'string') }),
  sub_refresh: one(15, {
    channel: one(1, 'string'),
    token: one(2, 'string'),
    type: one(3, 'int32'),
    track: list(4, TrackBatch),
    untrack: list(5, 'string'),
  }),
};

const MembershipPush = { info: one(1, ClientInfo) };

export const Push = {
  channel: one(2, 'string'),
  pub: one(4, Publication),
  join: one(5, MembershipPush),
  leave: one(6, MembershipPush),
  unsubscribe: one(7, { code: one(2, 'uint32'), reason: one(3, 'string') }),
  message: one(8, { data: one(1, 'bytes') }),
  subscribe: one(9, {
    recoverable: one(1, 'bool'),
    epoch: one(4, 'string'),
    offset: one(5, 'uint64'),
    positioned: one(6, 'bool'),
    data: one(7, 'bytes'),
  }),
  connect: one(10, ConnectResult),
  disconnect: one(11, { code: one(1, 'uint32'), reason: one(2, 'string') }),
  refresh: one(12, { expires: one(1, 'bool'), ttl: one(2, 'uint32') }),
};

export const Reply = {
  id: one(1, 'uint32'),
  error: one(2, ErrorMessage),
  push: one(4, Push),
  connect: one(5, ConnectResult),
  subscribe: one(6, SubscribeResult),
  unsubscribe: one(7, Empty),
  publish: one(8, Empty),
  presence: one(9, { presence: { ...map(1, ClientInfo), always: true } }),
  presence_stats: one(10, { num_clients: always(1, 'uint32'), num_users: always(2, 'uint32') }),
  history: one(11, {
    publications: { ...list(1, Publication), always: true },
    epoch: always(2, 'string'),
    offset: always(3, 'uint64'),
  }),
  rpc: one(13, { data: one(1, 'bytes') }),
  refresh: one(14, {
    client: one(1, 'string'),
    version: one(2, 'string'),
    expires: one(3, 'bool'),
    ttl: one(4, 'uint32'),
  }),
  sub_refresh: one(15, { expires: one(1, 'bool'), ttl: one(2, 'uint32') }),
};

/** Commands sent by a request of their own. In JSON, `data` is a text of commands. */
export const EmulationRequest = { node: one(1, 'string'), session: one(2, 'string'), data: one(3, 'bytes') };

export type Command = Decoded<typeof Command>;
export type ConnectRequest = Decoded<typeof ConnectRequest>;
export type SubscribeRequest = Decoded<typeof SubscribeRequest>;
export type HistoryRequest = Decoded<typeof HistoryRequest>;
export type Reply = Message<typeof Reply>;
export type Push = Message<typeof Push>;
export type Publication = Message<typeof Publication>;
export type ClientInfo = Message<typeof ClientInfo>;
export type SubscribeResult = Message<typeof SubscribeResult>;
export type ConnectResult = Message<typeof ConnectResult>;
