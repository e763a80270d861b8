/**
 * The client protocol in Protobuf, to and from the same JSON that the other transports speak: a table of field numbers, and one reader and writer for all
 * messages. `json` fields are bytes which hold JSON text here, and pass through untouched.
 */

type Scalar = 'uint' | 'int' | 'bool' | 'string' | 'json';
interface Field {
  readonly number: number;
  readonly type: Scalar | { readonly message: string };
  readonly repeated?: true;
  readonly map?: true;
  /** Stands in JSON when it is empty too. */
  readonly always?: true;
}
type Schema = Readonly<Record<string, Readonly<Record<string, Field>>>>;

const uint = (number: number): Field => ({ number, type: 'uint' });
const int = (number: number): Field => ({ number, type: 'int' });
const bool = (number: number): Field => ({ number, type: 'bool' });
const string = (number: number): Field => ({ number, type: 'string' });
const json = (number: number): Field => ({ number, type: 'json' });
const of = (number: number, message: string): Field => ({ number, type: { message } });
const repeated = (field: Field): Field => ({ ...field, repeated: true });
const map = (number: number, type: Field['type']): Field => ({ number, type, map: true });
const always = (field: Field): Field => ({ ...field, always: true });

const SCHEMA: Schema = {
  Command: {
    id: uint(1),
    connect: of(4, 'ConnectRequest'),
    subscribe: of(5, 'SubscribeRequest'),
    unsubscribe: of(6, 'Channel'),
    publish: of(7, 'PublishRequest'),
    presence: of(8, 'Channel'),
    presence_stats: of(9, 'Channel'),
    history: of(10, 'HistoryRequest'),
    ping: of(11, 'Empty'),
    send: of(12, 'Data'),
    rpc: of(13, 'RpcRequest'),
    refresh: of(14, 'RefreshRequest'),
    sub_refresh: of(15, 'SubRefreshRequest'),
  },
  Reply: {
    id: uint(1),
    error: of(2, 'Error'),
    push: of(4, 'Push'),
    connect: of(5, 'ConnectResult'),
    subscribe: of(6, 'SubscribeResult'),
    unsubscribe: of(7, 'Empty'),
    publish: of(8, 'Empty'),
    presence: of(9, 'PresenceResult'),
    presence_stats: of(10, 'PresenceStatsResult'),
    history: of(11, 'HistoryResult'),
    ping: of(12, 'Empty'),
    rpc: of(13, 'Data'),
    refresh: of(14, 'RefreshResult'),
    sub_refresh: of(15, 'SubRefreshResult'),
  },
  Error: { code: uint(1), message: string(2), temporary: bool(3) },
  Push: {
    channel: string(2),
    pub: of(4, 'Publication'),
    join: of(5, 'Info'),
    leave: of(6, 'Info'),
    unsubscribe: of(7, 'Unsubscribe'),
    message: of(8, 'Data'),
    subscribe: of(9, 'Subscribe'),
    connect: of(10, 'ConnectResult'),
    disconnect: of(11, 'Disconnect'),
    refresh: of(12, 'Refresh'),
  },
  ConnectRequest: {
    token: string(1),
    data: json(2),
    subs: map(3, { message: 'SubscribeRequest' }),
    name: string(4),
    version: string(5),
    headers: map(6, 'string'),
    flag: int(7),
  },
  ConnectResult: {
    client: string(1),
    version: string(2),
    expires: bool(3),
    ttl: uint(4),
    data: json(5),
    subs: map(6, { message: 'SubscribeResult' }),
    ping: uint(7),
    pong: bool(8),
    session: string(9),
    node: string(10),
    time: int(11),
  },
  SubscribeRequest: {
    channel: string(1),
    token: string(2),
    recover: bool(3),
    epoch: string(6),
    offset: uint(7),
    data: json(8),
    positioned: bool(9),
    recoverable: bool(10),
    join_leave: bool(11),
    delta: string(12),
    tf: of(13, 'FilterNode'),
    flag: int(14),
    type: int(15),
    phase: int(16),
    cursor: string(17),
    limit: int(18),
  },
  SubscribeResult: {
    expires: bool(1),
    ttl: uint(2),
    recoverable: bool(3),
    epoch: string(6),
    publications: repeated(of(7, 'Publication')),
    recovered: bool(8),
    offset: uint(9),
    positioned: bool(10),
    data: json(11),
    was_recovering: bool(12),
    delta: bool(13),
    id: int(14),
  },
  Publication: {
    data: json(4),
    info: of(5, 'ClientInfo'),
    offset: uint(6),
    tags: map(7, 'string'),
    delta: bool(8),
    time: int(9),
    channel: string(10),
    epoch: string(14),
    version: uint(16),
  },
  ClientInfo: { user: string(1), client: string(2), conn_info: json(3), chan_info: json(4) },
  Info: { info: of(1, 'ClientInfo') },
  Unsubscribe: { code: uint(2), reason: string(3) },
  Subscribe: {
    recoverable: bool(1),
    epoch: string(4),
    offset: uint(5),
    positioned: bool(6),
    data: json(7),
  },
  Disconnect: { code: uint(1), reason: string(2), reconnect: bool(3) },
  Refresh: { expires: bool(1), ttl: uint(2) },
  RefreshRequest: { token: string(1) },
  RefreshResult: { client: string(1), version: string(2), expires: bool(3), ttl: uint(4) },
  SubRefreshRequest: { channel: string(1), token: string(2) },
  SubRefreshResult: { expires: bool(1), ttl: uint(2) },
  PublishRequest: { channel: string(1), data: json(2), type: int(3), key: string(4), removed: bool(5) },
  PresenceResult: { presence: always(map(1, { message: 'ClientInfo' })) },
  PresenceStatsResult: { num_clients: always(uint(1)), num_users: always(uint(2)) },
  HistoryRequest: { channel: string(1), limit: int(7), since: of(8, 'StreamPosition'), reverse: bool(9) },
  HistoryResult: { publications: always(repeated(of(1, 'Publication'))), epoch: string(2), offset: always(uint(3)) },
  StreamPosition: { offset: uint(1), epoch: string(2) },
  RpcRequest: { data: json(1), method: string(2) },
  FilterNode: {
    op: string(1),
    key: string(2),
    cmp: string(3),
    val: string(4),
    vals: repeated(string(5)),
    nodes: repeated(of(6, 'FilterNode')),
  },
  Channel: { channel: string(1) },
  Data: { data: json(1) },
  Empty: {},
};

// --- writing ---

function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const delimited = (bytes: Buffer): Buffer => Buffer.concat([varint(BigInt(bytes.length)), bytes]);
const tag = (number: number, wireType: number): Buffer => varint(BigInt((number << 3) | wireType));

function encodeValue({ number, type }: Field, value: unknown): Buffer {
  switch (type) {
    case 'uint':
    case 'int':
      return Buffer.concat([tag(number, 0), varint(BigInt(value as number))]);
    case 'bool':
      return Buffer.concat([tag(number, 0), varint(value ? 1n : 0n)]);
    case 'string':
      return Buffer.concat([tag(number, 2), delimited(Buffer.from(value as string))]);
    case 'json':
      return Buffer.concat([tag(number, 2), delimited(Buffer.from(JSON.stringify(value)))]);
    default:
      return Buffer.concat([tag(number, 2), delimited(encodeMessage(type.message, value as object))]);
  }
}

function encodeMessage(name: string, value: object): Buffer {
  const parts: Buffer[] = [];
  for (const [key, item] of Object.entries(value)) {
    const field = SCHEMA[name]?.[key];
    if (!field) continue; // unknown to the protocol, as in JSON
    if (field.map)
      for (const [entryKey, entry] of Object.entries(item as object)) {
        const bytes = Buffer.concat([
          encodeValue({ number: 1, type: 'string' }, entryKey),
          encodeValue({ number: 2, type: field.type }, entry),
        ]);
        parts.push(tag(field.number, 2), delimited(bytes));
      }
    else if (field.repeated) for (const entry of item as unknown[]) parts.push(encodeValue(field, entry));
    else parts.push(encodeValue(field, item));
  }
  return Buffer.concat(parts);
}

/** One command, with its length before it. */
export function encodeCommand(command: object): Buffer {
  return delimited(encodeMessage('Command', command));
}

// --- reading ---

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('a varint ends too early');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  bytes(): Buffer {
    const length = Number(this.varint());
    if (this.#at + length > this.#bytes.length) throw new Error('a field ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** The value as JSON text. */
function readValue(type: Field['type'], reader: Reader): string {
  switch (type) {
    case 'uint':
      return String(reader.varint());
    case 'int':
      return String(BigInt.asIntN(64, reader.varint()));
    case 'bool':
      return String(reader.varint() !== 0n);
    case 'string':
      return JSON.stringify(reader.bytes().toString());
    case 'json':
      return reader.bytes().toString();
    default:
      return decodeMessage(type.message, reader.bytes());
  }
}

function decodeMessage(name: string, bytes: Buffer): string {
  const fields = SCHEMA[name]!;
  const byNumber = new Map(Object.entries(fields).map(([key, field]) => [field.number, { key, field }]));
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  for (const [key, field] of Object.entries(fields)) {
    if (field.always && (field.map || field.repeated)) lists.set(key, []);
    else if (field.always) values.set(key, '0');
  }
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const number = Number(reader.varint() >> 3n);
    const known = byNumber.get(number);
    if (!known) throw new Error(`${name} has no field ${number}`);
    const { key, field } = known;
    if (field.map) {
      const entry = new Reader(reader.bytes());
      let entryKey = '""';
      let value = typeof field.type === 'string' ? '""' : '{}';
      while (!entry.isAtEnd) {
        if (entry.varint() >> 3n === 1n) entryKey = JSON.stringify(entry.bytes().toString());
        else value = readValue(field.type, entry);
      }
      lists.set(key, [...(lists.get(key) ?? []), `${entryKey}:${value}`]);
    } else if (field.repeated) lists.set(key, [...(lists.get(key) ?? []), readValue(field.type, reader)]);
    else values.set(key, readValue(field.type, reader));
  }
  const members = [...values].map(([key, value]) => `"${key}":${value}`);
  for (const [key, items] of lists)
    members.push(`"${key}":${fields[key]!.map ? `{${items.join(',')}}` : `[${items.join(',')}]`}`);
  return `{${members.join(',')}}`;
}

/** The replies of one frame, each as JSON text. */
export function decodeReplies(frame: Buffer): string[] {
  const reader = new Reader(frame);
  const replies: string[] = [];
  while (!reader.isAtEnd) replies.push(decodeMessage('Reply', reader.bytes()));
  return replies;
}
