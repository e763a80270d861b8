import fc from 'fast-check';

/**
 * A random program: what several clients and an application do to one server, in order. It names users, channels and epochs symbolically, so that it can be
 * played on two servers and compared.
 *
 * In texts, `$plain/a` is channel `a` of namespace `plain`, `$user/a` is user `a`, `"%epoch:$plain/a"` the epoch of that channel as last seen, and
 * `"%token:{…}"` a token with these claims (`"%badtoken:{…}"`: signed with another key).
 */
export type Step =
  | { readonly kind: 'open'; readonly transport?: 'protobuf' }
  /** Sends this text as one frame on a socket (by number, modulo those that are there). */
  | { readonly kind: 'frame'; readonly socket: number; readonly text: string }
  | { readonly kind: 'close'; readonly socket: number }
  | { readonly kind: 'api'; readonly path: string; readonly body: string }
  /** Any HTTP request, as likely wrong as right. */
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

export type Program = readonly Step[];

const NAMESPACES = [
  'plain',
  'closed',
  'open',
  'members',
  'anonymous',
  'featureless',
  'recovery',
  'position',
  'asked',
  'kept',
  'stored',
  'joining',
  'joinasked',
  'limited',
  'regex',
  'jsonobject',
  'json',
  'trpc',
];

const namespace = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('open', 'recovery', 'plain', 'members', 'joining', 'trpc', 'asked') },
  { weight: 3, arbitrary: fc.constantFrom(...NAMESPACES) },
);
const channel = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(namespace, fc.constantFrom('a', 'b')).map(([name, label]) => `$${name}/${label}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('nope:x', '', 'noname', 'plain:ö', '$limited/a#$user/a', '__proto__', ':x', 'plain:'),
  },
);
const user = fc.constantFrom('$user/a', '$user/a', '$user/b', '');

/** JSON text of data: values whose bytes matter, too. */
const data = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('1', '{"a":1}', '"text"', 'null', '[]', '{}', 'true', '""', '0') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '1.0',
      '12345678901234567890',
      '1e400',
      '"\\u0041\\/"',
      '{ "a" : 1, "a" : 2 }',
      '"ö😀"',
      '-0',
    ),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)) },
);

const someTime = fc.constantFrom(4_102_444_800, 1_500_000_000);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Claims as an object, sometimes wrong. */
const connectionClaims = fc.record(
  {
    sub: fc.oneof({ weight: 20, arbitrary: user }, { weight: 1, arbitrary: fc.constantFrom<unknown>(5, null, true) }),
    exp: optional(someTime),
    expire_at: fc.option(fc.constantFrom(0, 4_102_444_800, 1_500_000_000), { nil: undefined, freq: 12 }),
    nbf: fc.option(someTime, { nil: undefined, freq: 12 }),
    info: optional(fc.constantFrom<unknown>({ name: 'Ann' }, 'text', 5)),
    meta: optional(fc.constant({ m: 1 })),
    channels: optional(fc.array(channel, { maxLength: 2 })),
    subs: optional(
      fc.dictionary(
        channel,
        fc.record({ data: optional(fc.constant({ d: 1 })), info: optional(fc.constant({ s: 1 })) }),
        {
          maxKeys: 2,
          noNullPrototype: true,
        },
      ),
    ),
  },
  { requiredKeys: ['sub'], noNullPrototype: true },
);

const token = (claims: fc.Arbitrary<object>) =>
  fc.oneof(
    { weight: 20, arbitrary: claims.map((value) => `%token:${JSON.stringify(value)}`) },
    { weight: 1, arbitrary: claims.map((value) => `%badtoken:${JSON.stringify(value)}`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'garbage', 'a.b.c') },
  );

const position = fc.record(
  {
    recover: fc.boolean(),
    offset: fc.constantFrom(0, 1, 2, 3, 7),
    epoch: fc.constantFrom('', 'other', '%epoch', '%epoch', '%epoch'),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const connectCommand = fc
  .record(
    {
      token: token(connectionClaims),
      name: optional(fc.constant('fuzz')),
      data: optional(fc.constantFrom<unknown>({ a: 1 }, null, 'x')),
      subs: optional(fc.dictionary(channel, position, { maxKeys: 2, noNullPrototype: true })),
    },
    { requiredKeys: ['token'], noNullPrototype: true },
  )
  .map((connect) => ({ connect: withEpochs(connect) }));

/** `%epoch` stands for the epoch of the channel that it is said of. */
function withEpochs(connect: { subs?: Record<string, { epoch?: string }> | undefined }): object {
  if (!connect.subs) return connect;
  const subs = Object.entries(connect.subs).map(([name, sub]) => [name, withEpoch(sub, name)]);
  return { ...connect, subs: Object.fromEntries(subs) };
}

const withEpoch = <T extends { epoch?: string }>(value: T, name: string): T =>
  value.epoch === '%epoch' ? { ...value, epoch: `%epoch:${name}` } : value;

const subscribeCommand = fc
  .tuple(
    channel,
    position,
    fc.record(
      {
        positioned: fc.boolean(),
        recoverable: fc.boolean(),
        join_leave: fc.boolean(),
        data: fc.constant({ a: 1 }),
        flag: fc.constantFrom(0, 1, 2),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    fc.record(
      {
        type: rarely(fc.constantFrom(1, 2, 3, 4, 5, -1)),
        delta: rarely(fc.constantFrom('fossil', 'x')),
        tf: rarely(fc.constantFrom<object>({}, { key: 'a', cmp: 'eq', val: '1' })),
        phase: rarely(fc.constantFrom(0, 1, 2)),
        limit: rarely(fc.constantFrom(0, 1)),
      },
      { noNullPrototype: true },
    ),
    fc.option(
      fc.record(
        {
          sub: fc.constantFrom('$user/a', '$user/a', '$user/a', '$user/b', ''),
          channel: fc.option(channel, { nil: undefined, freq: 2 }),
          exp: optional(someTime),
          data: optional(fc.constant({ t: 1 })),
          info: optional(fc.constant({ s: 1 })),
        },
        { requiredKeys: ['sub', 'channel'], noNullPrototype: true },
      ),
      { nil: undefined, freq: 2 },
    ),
    fc.constantFrom('%token', '%token', '%token', '%token', '%badtoken'),
  )
  .map(([name, where, options, others, claims, kind]) => ({
    subscribe: {
      channel: name,
      ...withEpoch(where, name),
      ...options,
      ...others,
      ...(claims && { token: `${kind}:${JSON.stringify({ ...claims, channel: claims.channel ?? name })}` }),
    },
  }));

const onChannel = (method: string) => channel.map((name) => ({ [method]: { channel: name } }));

const historyParameters = fc
  .tuple(
    channel,
    fc.record(
      {
        limit: fc.constantFrom(-1, 0, 1, 2, 100),
        reverse: fc.boolean(),
        since: fc.record({
          offset: fc.constantFrom(0, 1, 2, 9),
          epoch: fc.constantFrom('', 'other', '%epoch', '%epoch'),
        }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([name, { since, ...others }]) => ({
    channel: name,
    ...others,
    ...(since && { since: withEpoch(since, name) }),
  }));

const command: fc.Arbitrary<object> = fc.oneof(
  { weight: 10, arbitrary: subscribeCommand },
  { weight: 4, arbitrary: onChannel('unsubscribe') },
  {
    weight: 8,
    arbitrary: fc.tuple(channel, data).map(([name, text]) => ({ publish: { channel: name, data: `%raw:${text}` } })),
  },
  { weight: 3, arbitrary: historyParameters.map((history) => ({ history })) },
  { weight: 2, arbitrary: onChannel('presence') },
  { weight: 2, arbitrary: onChannel('presence_stats') },
  // A ping beside another command, which then does not count; and what only maps know.
  { weight: 1, arbitrary: onChannel('presence').map((other) => ({ ping: {}, ...other })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(channel, fc.constantFrom(0, 1, 2), fc.boolean())
      .map(([name, type, removed]) => ({ publish: { channel: name, data: 1, type, key: 'k', removed } })),
  },
  { weight: 1, arbitrary: token(connectionClaims).map((text) => ({ refresh: { token: text } })) },
  {
    weight: 1,
    arbitrary: fc.tuple(channel, fc.constantFrom('$user/a', '$user/b'), someTime).map(([name, sub, exp]) => ({
      sub_refresh: { channel: name, token: `%token:${JSON.stringify({ sub, channel: name, exp })}` },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<object>(
      { rpc: { method: 'x' } },
      { ping: {} },
      { send: { data: {} } },
      { nonsense: {} },
      {},
      { connect: {} },
    ),
  },
);

/** A frame's text; ids count up within the program so that replies can be told apart. */
const frameOf = (commands: fc.Arbitrary<object[]>) =>
  fc
    .tuple(
      commands,
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.constantFrom('\n', '\n', '\n', '\n', '\n\n', '', '\r\n'),
    )
    .map(([list, firstId, separator]) =>
      list
        .map((item, index) => rawData(JSON.stringify({ id: firstId + index, ...item })))
        .join(list.length > 1 ? separator : '\n'),
    );

/** `"%raw:…"` is replaced by the text behind it: data whose bytes no `JSON.stringify` would write. */
function rawData(text: string): string {
  return text.replace(/"%raw:((?:[^"\\]|\\.)*)"/g, (_, escaped: string) => JSON.parse(`"${escaped}"`) as string);
}

const mutation = fc.tuple(
  fc.constantFrom('delete', 'double', 'insert', 'cut'),
  fc.nat(10_000),
  fc.constantFrom('"', '{', '}', ',', ':', ' ', 'x', '0', '.0', 'e0', '-', '\\', '\n'),
);

/** Breaks a text at one place. */
function mutate(text: string, [kind, place, what]: [string, number, string]): string {
  const at = place % (text.length + 1);
  if (kind === 'delete') return text.slice(0, at) + text.slice(at + 1);
  if (kind === 'double') return text.slice(0, at) + text.slice(Math.max(0, at - 1));
  if (kind === 'insert') return text.slice(0, at) + what + text.slice(at);
  return text.slice(0, at);
}

const frame = frameOf(fc.array(command, { minLength: 1, maxLength: 3 }));
const connectFrame = frameOf(
  fc.tuple(connectCommand, fc.array(command, { maxLength: 1 })).map(([first, rest]) => [first, ...rest]),
);

const tags = optional(
  fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('a', ''), { maxKeys: 2, noNullPrototype: true }),
);
const publishOptions = {
  tags,
  skip_history: optional(fc.boolean()),
  idempotency_key: optional(fc.constantFrom('one', 'two', '')),
  nonsense: fc.option(fc.constant(1), { nil: undefined, freq: 20 }),
};
const publishParameters = fc
  .tuple(
    channel,
    data,
    fc.record(
      { ...publishOptions, version: fc.option(fc.constantFrom(1, 2, 3), { nil: undefined, freq: 8 }) },
      { noNullPrototype: true },
    ),
  )
  .map(([name, text, options]) => ({ channel: name, data: `%raw:${text}`, ...options }));
const historyApi = historyParameters;
const clients = {
  user,
  client: fc.option(fc.constantFrom('%client:0', '%client:1', 'nobody'), { nil: undefined, freq: 4 }),
};

const apiCall: fc.Arbitrary<[string, object]> = fc.oneof(
  { weight: 10, arbitrary: publishParameters.map((body): [string, object] => ['publish', body]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.uniqueArray(channel, { maxLength: 3 }), data, fc.record(publishOptions, { noNullPrototype: true }))
      .map(([channels, text, options]): [string, object] => [
        'broadcast',
        { channels, data: `%raw:${text}`, ...options },
      ]),
  },
  { weight: 3, arbitrary: historyApi.map((body): [string, object] => ['history', body]) },
  { weight: 1, arbitrary: channel.map((name): [string, object] => ['history_remove', { channel: name }]) },
  { weight: 1, arbitrary: channel.map((name): [string, object] => ['presence', { channel: name }]) },
  { weight: 1, arbitrary: channel.map((name): [string, object] => ['presence_stats', { channel: name }]) },
  {
    weight: 3,
    arbitrary: fc
      .record(
        { ...clients, channel, data: optional(fc.constant({ d: 1 })), info: optional(fc.constant({ s: 1 })) },
        { noNullPrototype: true },
      )
      .map((body): [string, object] => ['subscribe', body]),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ ...clients, channel }, { noNullPrototype: true })
      .map((body): [string, object] => ['unsubscribe', body]),
  },
  {
    weight: 1,
    arbitrary: fc
      .record(
        {
          ...clients,
          disconnect: optional(
            fc.record({ code: fc.constantFrom(3000, 3014, 3503, 4000, 4500), reason: fc.constantFrom('', 'x') }),
          ),
        },
        { noNullPrototype: true },
      )
      .map((body): [string, object] => ['disconnect', body]),
  },
  {
    weight: 1,
    arbitrary: fc
      .record(
        { ...clients, expired: optional(fc.boolean()), expire_at: optional(fc.constantFrom(4_102_444_800)) },
        { noNullPrototype: true },
      )
      .map((body): [string, object] => ['refresh', body]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<[string, object]>(
      ['rpc', { method: 'x' }],
      ['nonsense', {}],
      ['map_publish', { channel: '$plain/a', key: 'k', data: 1 }],
      ['map_stats', { channel: 'nope:x' }],
      ['shared_poll_publish', { channel: '$plain/a' }],
      ['batch', {}],
      ['publish', []],
      ['history', {}],
    ),
  },
);
const api = fc.oneof(
  { weight: 12, arbitrary: apiCall },
  {
    weight: 1,
    arbitrary: fc
      .array(
        apiCall.filter(([method]) => method !== 'nonsense' && method !== 'batch'),
        { minLength: 1, maxLength: 3 },
      )
      .map((calls): [string, object] => ['batch', { commands: calls.map(([method, body]) => ({ [method]: body })) }]),
  },
);
const apiBody = fc.oneof(
  { weight: 30, arbitrary: api.map(([path, body]) => ({ path, body: rawData(JSON.stringify(body)) })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(api, mutation)
      .map(([[path, body], change]) => ({ path, body: mutate(rawData(JSON.stringify(body)), change) })),
  },
);

const KEY = '%key';
const http = fc.record({
  kind: fc.constant('http' as const),
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
  path: fc.oneof(
    fc.constantFrom('publish', 'history', 'batch', 'info2', '').map((method) => `/api/${method}`),
    fc.constantFrom(
      '/api',
      '/api/publish/',
      '/api//publish',
      '/api/./publish',
      '/API/publish',
      '/api/publish?x=1',
      `/api/publish?api_key=${KEY}`,
      '/api/publish?api_key=wrong',
      '/api/%70ublish',
      '/health',
      '/health/',
      '/',
      '/connection/websocket',
      '/connection/nothing',
      '/nothing',
    ),
  ),
  headers: fc
    .record(
      {
        'X-API-Key': fc.constantFrom(KEY, KEY, KEY, KEY, 'wrong', ''),
        Authorization: fc.constantFrom(`apikey ${KEY}`, `ApiKey ${KEY}`, `Bearer ${KEY}`, 'apikey wrong', KEY),
        'X-Centrifugo-Error-Mode': fc.constantFrom('transport', 'other', ''),
        'Content-Type': fc.constantFrom('application/json', 'text/plain', 'application/octet-stream'),
        Origin: fc.constantFrom('http://evil.example', 'null'),
      },
      { requiredKeys: ['X-API-Key'], noNullPrototype: true },
    )
    .chain((headers) => fc.boolean().map((keeps) => (keeps ? headers : { ...headers, 'X-API-Key': KEY }))),
  body: fc.oneof(
    { weight: 6, arbitrary: apiCall.map(([, body]) => rawData(JSON.stringify(body))) },
    { weight: 2, arbitrary: fc.constantFrom('', 'null', '[]', '5', '"x"', '{', '{}x', '{"channel":5}') },
    {
      weight: 2,
      arbitrary: apiCall.map(([method, params]) => rawData(JSON.stringify({ id: 7, method, params }))),
    },
  ),
});

const socket = fc.nat(3);
const laterStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('frame' as const), socket, text: frame }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(socket, frame, mutation)
      .map(([number, text, change]): Step => ({ kind: 'frame', socket: number, text: mutate(text, change) })),
  },
  { weight: 14, arbitrary: apiBody.map((call): Step => ({ kind: 'api', ...call })) },
  { weight: 4, arbitrary: http },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), socket }) },
);
/** A socket that is opened and says who it is. */
const arrival = fc.tuple(fc.nat(), connectFrame, fc.constantFrom(undefined, undefined, 'protobuf' as const));

/** Programs of one to three clients. */
export const program: fc.Arbitrary<Program> = fc
  .tuple(fc.array(arrival, { minLength: 1, maxLength: 3 }), fc.array(laterStep, { minLength: 1, maxLength: 25 }))
  .map(([arrivals, steps]) => {
    const all: Step[] = [...steps];
    arrivals.forEach(([place, text, transport], index) => {
      const at = index === 0 ? 0 : place % (all.length + 1);
      all.splice(at, 0, { kind: 'open', ...(transport && { transport }) }, { kind: 'frame', socket: -1, text });
    });
    return all;
  });
