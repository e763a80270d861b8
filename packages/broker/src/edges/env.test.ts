import { describe, expect, it } from 'vitest';
import { BrokerConfigError } from '../core/errors.ts';
import { resolveOptions } from '../core/settings.ts';
import { optionsFromEnv } from './env.ts';
import { CHANNEL_VARIABLES, DEFAULT_ONLY, HONOURED, NOT_THE_SERVERS, WITHOUT_EFFECT } from './env-options.ts';
import { duration, flag, parseValue, spacedList, text, wholeNumber } from './env-values.ts';

const read = (env: Record<string, string>) => optionsFromEnv(env);
const TRPC = { CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc' };

describe('values', () => {
  it.each([
    ['25s', 25_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['300ms', 300],
    ['1µs', 0.001],
    ['-1s', -1000],
    ['0', 0],
    ['720h0m0s', 2_592_000_000],
  ])('duration %s is %d ms', (value, ms) => expect(duration.parse(value)).toBeCloseTo(ms));

  it.each(['25', '', 's', '1 s', '1d', '1s2', 'abc', '1e3s', '-1', '2562048h'])('duration "%s" is none', (value) =>
    expect(duration.parse(value)).toBeUndefined(),
  );

  it.each([
    ['128', 128],
    ['0x10', 16],
    ['1_000', 1000],
    ['0_1', 1],
    ['010', 8],
    ['0b11', 3],
    ['-5', -5],
    ['+5', 5],
    ['0', 0],
  ])('number %s is %d', (value, number) => expect(wholeNumber.parse(value)).toBe(number));

  it.each(['', '1.5', '1e3', 'x', '0x', '1__0', '1_', '9223372036854775808', ' 1'])('number "%s" is none', (value) =>
    expect(wholeNumber.parse(value)).toBeUndefined(),
  );

  it('flags are the words that Go knows', () => {
    for (const value of ['1', 't', 'T', 'true', 'TRUE', 'True']) expect(flag.parse(value)).toBe(true);
    for (const value of ['0', 'f', 'F', 'false', 'FALSE', 'False']) expect(flag.parse(value)).toBe(false);
    for (const value of ['yes', 'on', 'tRUE', '']) expect(flag.parse(value)).toBeUndefined();
  });

  it('lists are separated by spaces, and by nothing else', () => {
    expect(spacedList.parse('a b')).toEqual(['a', 'b']);
    expect(spacedList.parse('a,b')).toEqual(['a,b']);
  });

  it('are not repeated in errors: they may be secrets', () => {
    expect(() => parseValue('CENTRIFUGO_X', 'secret', flag)).toThrow('CENTRIFUGO_X must be true or false.');
  });
});

describe('the environment', () => {
  it('is read like that of Centrifugo', () => {
    const settings = resolveOptions(
      read({
        ...TRPC,
        CENTRIFUGO_HTTP_SERVER_PORT: '8000',
        CENTRIFUGO_HTTP_API_KEY: 'key',
        CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 'secret',
        CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: 'http://localhost:3000 http://127.0.0.1:3000',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
        CENTRIFUGO_HEALTH_ENABLED: 'true',
        CENTRIFUGO_USAGE_STATS_DISABLED: 'true',
        CENTRIFUGO_API_URL: 'http://localhost:8000/api',
        CENTRIFUGO_API_KEY: 'key',
        CENTRIFUGO_TOKEN_SECRET: 'secret',
      }),
    );
    expect(settings).toMatchObject({
      host: '',
      port: 8000,
      httpApi: { key: 'key' },
      health: { enabled: true },
      client: {
        token: { hmacSecretKey: 'secret' },
        allowedOrigins: ['http://localhost:3000', 'http://127.0.0.1:3000'],
      },
    });
    expect(settings.channel.namespaces.get('trpc')).toMatchObject({
      historySize: 300,
      historyTtlMs: 600_000,
      forceRecovery: true,
      hasHistory: true,
    });
  });

  it('counts empty variables as unset, and has no health page by itself', () => {
    expect(read({ CENTRIFUGO_CLIENT_PING_INTERVAL: '', CENTRIFUGO_BOGUS: '' })).toMatchObject({
      client: {},
      health: { enabled: false },
    });
  });

  it('reads proxies, by themselves and by name, as variables and as JSON', () => {
    const { client, channel, rpc, proxies } = read({
      ...TRPC,
      CENTRIFUGO_CLIENT_PROXY_CONNECT_ENABLED: 'true',
      CENTRIFUGO_CLIENT_PROXY_CONNECT_ENDPOINT: 'http://app/connect',
      CENTRIFUGO_CHANNEL_PROXY_SUB_REFRESH_ENDPOINT: 'http://app/sub_refresh',
      CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_SUBSCRIBE_PROXY_ENABLED: 'true',
      CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_SUBSCRIBE_PROXY_NAME: 'my.app',
      CENTRIFUGO_RPC_PROXY_ENDPOINT: 'http://app/rpc',
      CENTRIFUGO_RPC_PROXY_TIMEOUT: '10s',
      CENTRIFUGO_RPC_PROXY_HTTP_HEADERS: 'Cookie Origin',
      CENTRIFUGO_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: 'true',
      CENTRIFUGO_RPC_NAMESPACES: 'admin',
      CENTRIFUGO_RPC_NAMESPACES_ADMIN_PROXY_ENABLED: 'true',
      CENTRIFUGO_RPC_NAMESPACES_ADMIN_PROXY_NAME: 'my.app',
      CENTRIFUGO_RPC_NAMESPACE_BOUNDARY: '/',
      CENTRIFUGO_PROXIES:
        '[{"name":"my.app","endpoint":"http://app/","http_headers":["Cookie","Origin"],"include_connection_meta":true,' +
        '"http":{"static_headers":{"X-A":"a"},"status_to_code_transforms":[{"status_code":401,"to_error":{"code":401,"message":"who?"}}]}}]',
      CENTRIFUGO_PROXIES_MY_APP_TIMEOUT: '2s',
    });
    expect(client?.proxy?.connect).toEqual({ enabled: true, endpoint: 'http://app/connect' });
    expect(channel?.proxy?.subRefresh).toEqual({ endpoint: 'http://app/sub_refresh' });
    expect(channel?.namespaces?.trpc).toEqual({ subscribeProxyEnabled: true, subscribeProxyName: 'my.app' });
    expect(rpc).toEqual({
      proxy: { endpoint: 'http://app/rpc', timeoutMs: 10_000, httpHeaders: ['Cookie', 'Origin'] },
      withoutNamespace: { proxyEnabled: true },
      namespaces: { admin: { proxyEnabled: true, proxyName: 'my.app' } },
      namespaceBoundary: '/',
    });
    expect(proxies).toEqual({
      'my.app': {
        endpoint: 'http://app/',
        timeoutMs: 2000,
        httpHeaders: ['Cookie', 'Origin'],
        includeConnectionMeta: true,
        staticHeaders: { 'X-A': 'a' },
        statusToCodeTransforms: [{ statusCode: 401, toError: { code: 401, message: 'who?', temporary: false } }],
      },
    });
  });

  it('fills variables into static headers, whatever characters are in them', () => {
    const { rpc } = read({
      CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS: `{"X-Secret":"\${CENTRIFUGO_VAR_SECRET}!"}`,
      CENTRIFUGO_VAR_SECRET: 'a"b\\c',
    });
    expect(rpc?.proxy?.staticHeaders).toEqual({ 'X-Secret': 'a"b\\c!' });
  });

  it('takes namespaces as JSON too', () => {
    const json = '[{"name":"trpc","history_size":10,"history_ttl":"1m","presence":true},{"name":"x.y-z"}]';
    const { channel } = read({
      CENTRIFUGO_CHANNEL_NAMESPACES: json,
      CENTRIFUGO_CHANNEL_NAMESPACES_X_Y_Z_PRESENCE: '1',
    });
    expect(channel?.namespaces).toEqual({
      trpc: { historySize: 10, historyTtlMs: 60_000, presence: true },
      'x.y-z': { presence: true },
    });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an option that is none', { CENTRIFUGO_BOGUS: '1' }, /CENTRIFUGO_BOGUS is no option/],
    ['a misspelt option', { CENTRIFUGO_CLIENT_PING_INTERVALL: '1s' }, /CENTRIFUGO_CLIENT_PING_INTERVALL/],
    ['an option of version 5', { CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'x' }, /CENTRIFUGO_TOKEN_HMAC_SECRET_KEY/],
    [
      'an option of a namespace that is not listed',
      { CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PRESENCE: '1' },
      /NAMESPACES_TRPC_PRESENCE/,
    ],
    [
      'a misspelt option of a namespace',
      { ...TRPC, CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PRESENSE: '1' },
      /TRPC_PRESENSE/,
    ],
    ['a misspelt option in JSON', { CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":"trpc","bogus":1}]' }, /trpc\.bogus/],
    [
      'a duration without a unit in JSON',
      { CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":"trpc","history_ttl":"10"}]' },
      /trpc\.history_ttl must be a duration/,
    ],
    [
      'ten nanoseconds of history in JSON',
      { CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":"trpc","history_size":1,"history_ttl":10}]' },
      /history_ttl must be whole seconds/,
    ],
    ['a namespace without a name', { CENTRIFUGO_CHANNEL_NAMESPACES: '[{}]' }, /needs a "name"/],
    ['a namespace twice', { CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc trpc' }, /twice/],
    ['JSON that is none', { CENTRIFUGO_CHANNEL_NAMESPACES: '[{]' }, /not JSON/],
    ['quotes around the value', { CENTRIFUGO_CHANNEL_NAMESPACES: '"trpc"' }, /Namespace name/],
    ['commas', { CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc,chat' }, /Namespace name/],
    [
      'a duration without a unit',
      { CENTRIFUGO_CLIENT_PING_INTERVAL: '25' },
      /CENTRIFUGO_CLIENT_PING_INTERVAL must be a duration/,
    ],
    [
      'another engine',
      { CENTRIFUGO_ENGINE_TYPE: 'redis' },
      /CENTRIFUGO_ENGINE_TYPE: the embedded broker has only memory/,
    ],
    ['history without a time to live', { ...TRPC, CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '10' }, /together/],
    [
      'recovery without history',
      { ...TRPC, CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true' },
      /force_recovery/,
    ],
    [
      'both forms of audience',
      { CENTRIFUGO_CLIENT_TOKEN_AUDIENCE: 'a', CENTRIFUGO_CLIENT_TOKEN_AUDIENCE_REGEX: 'a' },
      /audience/,
    ],
    [
      'a regular expression that is none',
      { ...TRPC, CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_CHANNEL_REGEX: '(' },
      /channel_regex/,
    ],
    [
      'a proxy without an endpoint',
      { CENTRIFUGO_CLIENT_PROXY_CONNECT_ENABLED: 'true' },
      /connect: endpoint is not set/,
    ],
    [
      'a proxy over GRPC',
      { CENTRIFUGO_CLIENT_PROXY_REFRESH_ENABLED: 'true', CENTRIFUGO_CLIENT_PROXY_REFRESH_ENDPOINT: 'grpc://app' },
      /http:\/\/ or https:\/\//,
    ],
    [
      'a proxy name that is none',
      {
        ...TRPC,
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PUBLISH_PROXY_ENABLED: '1',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PUBLISH_PROXY_NAME: 'app',
      },
      /no proxy "app"/,
    ],
    [
      'a namespace with a proxy that is nowhere',
      { ...TRPC, CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_SUBSCRIBE_PROXY_ENABLED: '1' },
      /channel\.proxy\.subscribe: endpoint is not set/,
    ],
    [
      'RPC with a proxy that is nowhere',
      { CENTRIFUGO_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: '1' },
      /rpc\.proxy: endpoint/,
    ],
    ['a reserved proxy name', { CENTRIFUGO_PROXIES: 'default' }, /reserved/],
    ['a misspelt option of a proxy', { CENTRIFUGO_PROXIES: '[{"name":"app","url":"x"}]' }, /app\.url/],
    ['static headers that are no JSON', { CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS: 'X-A: a' }, /JSON object of texts/],
    ['a static header that is no text', { CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS: '{"X-A":1}' }, /JSON object/],
    [
      'a static header with a variable that is not set',
      { CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS: `{"X-A":"\${CENTRIFUGO_VAR_A}"}` },
      /CENTRIFUGO_VAR_… that is not set/,
    ],
    ...[
      ['no list', '{}', /JSON list/],
      ['a misspelt member', '[{"status_code":404,"error":{}}]', /JSON list/],
      ['no status', '[{"to_error":{"code":1}}]', /needs a status_code/],
      ['nothing to become', '[{"status_code":404}]', /either to_error or to_disconnect/],
      ['two things to become', '[{"status_code":404,"to_error":{"code":1},"to_disconnect":{"code":1}}]', /either/],
      ['a text beyond ASCII', '[{"status_code":404,"to_error":{"code":1,"message":"ü"}}]', /ASCII/],
      ['a long text', `[{"status_code":404,"to_disconnect":{"code":1,"reason":"${'x'.repeat(124)}"}}]`, /at most 123/],
    ].map(([what, json, message]): [string, Record<string, string>, RegExp] => [
      `a status transform with ${String(what)}`,
      {
        CENTRIFUGO_PROXIES: 'app',
        CENTRIFUGO_PROXIES_APP_ENDPOINT: 'http://app/',
        CENTRIFUGO_PROXIES_APP_HTTP_STATUS_TO_CODE_TRANSFORMS: String(json),
      },
      message as RegExp,
    ]),
  ])('stops the start at %s', (_name, env, message) => {
    const start = () => resolveOptions(read(env));
    expect(start).toThrow(BrokerConfigError);
    expect(start).toThrow(message);
  });

  it.each([
    'CENTRIFUGO_LOG_LEVEL',
    'CENTRIFUGO_ADMIN_ENABLED',
    'CENTRIFUGO_PROMETHEUS_NATIVE_HISTOGRAMS',
    'CENTRIFUGO_WEBSOCKET_COMPRESSION',
    'CENTRIFUGO_TEST_URL',
    'CENTRIFUGO_BIN',
    'CENTRIFUGO_SERVICE_HOST',
    'CENTRIFUGO_PORT_8000_TCP_ADDR',
    'OTHER_BOGUS',
  ])('passes over %s', (name) => expect(() => read({ [name]: 'true' })).not.toThrow());

  it('has no variable on two lists', () => {
    for (const name of [...HONOURED.keys(), ...DEFAULT_ONLY.keys()])
      for (const pattern of [...WITHOUT_EFFECT.map(([known]) => known), ...NOT_THE_SERVERS])
        expect(pattern.test(name), name).toBe(false);
    for (const name of DEFAULT_ONLY.keys()) expect(HONOURED.has(name), name).toBe(false);
  });

  it('reads every honoured variable into an option', () => {
    const samples: Record<string, string> = { boolean: 'true', number: '7', object: 'x' };
    for (const [name, { parser }] of HONOURED) {
      const words = ['json', 'transport', '{"X-A":"a"}', '[{"status_code":404,"to_error":{"code":404}}]'];
      const value =
        words.find((word) => parser !== text && parser !== spacedList && parser.parse(word)) ??
        (parser === duration ? '7s' : (samples[parser.jsonType] ?? 'x'));
      // Separate keys for subscription tokens count once they are switched on.
      const base: Record<string, string> = /SUBSCRIPTION_TOKEN_(?!ENABLED)/.test(name)
        ? { CENTRIFUGO_CLIENT_SUBSCRIPTION_TOKEN_ENABLED: 'true' }
        : {};
      expect(read({ ...base, [`CENTRIFUGO_${name}`]: value }), name).not.toEqual(read(base));
    }
    for (const [name, { parser }] of CHANNEL_VARIABLES) {
      const value =
        ['json', 'cache', 'fossil'].find((word) => parser.parse(word)) ??
        (parser === duration ? '7s' : (samples[parser.jsonType] ?? 'x'));
      expect(read({ ...TRPC, [`CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_${name}`]: value }), name).not.toEqual(read(TRPC));
    }
  });
});
