import { describe, expect, it } from 'vitest';
import { call, createEngine } from '../../../test/engine-harness.ts';
import { callApi } from './api.ts';

/** Every expectation in this file was seen on Centrifugo 6.9.1, unless it says otherwise. */

const error = (code: number, message: string) => ({ error: { code, message } });
const BAD_REQUEST = error(107, 'bad request');
const UNKNOWN = error(102, 'unknown channel');
const NOT_AVAILABLE = error(108, 'not available');

describe('a call', () => {
  it.each<[string, string, object, object]>([
    ['publish', 'without a channel', { data: {} }, BAD_REQUEST],
    ['publish', 'without data', { channel: 'trpc:a' }, BAD_REQUEST],
    ['publish', 'with data null', { channel: 'trpc:a', data: null }, { result: { offset: 1, epoch: 'epoch001' } }],
    ['publish', 'to an unknown namespace', { channel: 'no:a', data: 1 }, UNKNOWN],
    ['publish', 'with base64 that is none', { channel: 'trpc:a', b64data: '*' }, BAD_REQUEST],
    [
      'publish',
      'to a name longer than clients may use',
      { channel: `trpc:${'a'.repeat(300)}`, data: 1 },
      { result: { offset: 1, epoch: 'epoch001' } },
    ],
    [
      'publish',
      'to a name that is not ASCII',
      { channel: 'trpc:é', data: 1 },
      { result: { offset: 1, epoch: 'epoch001' } },
    ],
    ['broadcast', 'to no channel', { channels: [], data: 1 }, BAD_REQUEST],
    [
      'broadcast',
      'with a result each',
      { channels: ['trpc:a', 'no:a', '', 'plain:a', 'trpc:a'], data: 1 },
      {
        result: {
          responses: [
            { result: { offset: 1, epoch: 'epoch001' } },
            UNKNOWN,
            BAD_REQUEST,
            { result: {} },
            { result: { offset: 2, epoch: 'epoch001' } },
          ],
        },
      },
    ],
    [
      'history',
      'of an unused channel begins its stream',
      { channel: 'trpc:a' },
      { result: { publications: [], epoch: 'epoch001', offset: 0 } },
    ],
    ['history', 'without history', { channel: 'plain:a' }, NOT_AVAILABLE],
    ['history', 'without a channel', {}, BAD_REQUEST],
    [
      'history',
      'before the beginning',
      { channel: 'trpc:a', reverse: true, since: { offset: 0 } },
      error(100, 'internal server error'),
    ],
    [
      'history',
      'of another epoch',
      { channel: 'trpc:a', since: { offset: 0, epoch: 'zz' } },
      error(112, 'unrecoverable position'),
    ],
    ['history_remove', 'without history', { channel: 'plain:a' }, NOT_AVAILABLE],
    ['history_remove', 'of an unused channel', { channel: 'trpc:a' }, { result: {} }],
    ['presence', 'without presence', { channel: 'trpc:a' }, NOT_AVAILABLE],
    ['presence', 'of nobody', { channel: 'pres:a' }, { result: { presence: {} } }],
    ['presence_stats', 'without presence', { channel: 'trpc:a' }, NOT_AVAILABLE],
    ['presence_stats', 'of nobody', { channel: 'pres:a' }, { result: { num_clients: 0, num_users: 0 } }],
    ['subscribe', 'without a channel', { user: 'u' }, BAD_REQUEST],
    ['subscribe', 'to an unknown namespace', { user: 'u', channel: 'no:a' }, UNKNOWN],
    ['subscribe', 'of a user who is not there', { user: 'nobody', channel: 'trpc:a' }, { result: {} }],
    ['unsubscribe', 'from an unknown namespace', { user: 'u', channel: 'no:a' }, UNKNOWN],
    ['unsubscribe', 'of a user who is not there', { user: 'nobody', channel: 'trpc:a' }, { result: {} }],
    ['disconnect', 'of a user who is not there', { user: 'nobody' }, { result: {} }],
    ['refresh', 'of a user who is not there', { user: 'nobody' }, { result: {} }],
    ['channels', 'with a pattern that is none', { pattern: '[o' }, error(100, 'internal server error')],
    ['channels', 'when there are none', {}, { result: { channels: {} } }],
    ['rpc', 'of a method that is not there', { method: 'x' }, error(104, 'not found')],
    ['rpc', 'without a method', {}, BAD_REQUEST],
    ['batch', 'without commands', {}, {}],
    ['batch', 'of no commands', { commands: [] }, {}],
    [
      'batch',
      'with a reply each',
      {
        commands: [
          { publish: { channel: 'trpc:a', data: {} } },
          { publish: { channel: 'no:a', data: {} } },
          { bogus: {} },
          { history: { channel: 'trpc:a' } },
          { unsubscribe: { user: 'zz', channel: '' } },
          { broadcast: { channels: ['trpc:a'], data: 1 } },
        ],
      },
      {
        replies: [
          { publish: { offset: 1, epoch: 'epoch001' } },
          UNKNOWN,
          error(104, 'not found'),
          { history: { publications: [], epoch: 'epoch001', offset: 1 } },
          { unsubscribe: {} },
          { broadcast: { responses: [{ result: { offset: 2, epoch: 'epoch001' } }] } },
        ],
      },
    ],
  ])('%s %s', (method, _name, request, expected) => {
    const { engine } = createEngine();
    expect(call(engine, method, request)).toEqual(expected);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['nothing', ''],
    ['more than JSON', '{"channel":"trpc:a","data":1}x'],
    ['a number as channel', '{"channel":5,"data":{}}'],
    ['a list', '[]'],
    ['a number as a tag', '{"channel":"trpc:a","data":1,"tags":{"a":1}}'],
    ['deep nesting that never ends', '['.repeat(100_000)],
  ])('with %s is a plain 400', (_name, body) => {
    const { engine } = createEngine();
    expect(callApi(engine, 'publish', body, false)).toEqual({ status: 400, body: 'Bad Request\n', isJson: false });
  });

  it('takes deep JSON as data', () => {
    const { engine } = createEngine();
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(call(engine, 'publish', `{"channel":"trpc:a","data":${deep}}`)).toMatchObject({ result: { offset: 1 } });
  });

  it('of null is a call without anything', () => {
    const { engine } = createEngine();
    expect(call(engine, 'publish', 'null')).toEqual(BAD_REQUEST);
  });

  it('is not mistaken for a property of objects', () => {
    const { engine } = createEngine();
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect(callApi(engine, name, '{}', false).status).toBe(404);
    expect(call(engine, 'batch', '{"commands":[{"__proto__":{"channel":"trpc:a"}}]}')).toEqual({
      replies: [error(104, 'not found')],
    });
    call(engine, 'publish', '{"channel":"trpc:a","data":1,"tags":{"__proto__":"x"}}');
    expect(callApi(engine, 'history', '{"channel":"trpc:a","limit":1}', false).body).toContain(
      '"tags":{"__proto__":"x"}',
    );
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it.each([
    ['no:a', 404, '{"code":102,"message":"unknown channel"}'],
    ['', 400, '{"code":107,"message":"bad request"}'],
    ['plain:a', 400, '{"code":108,"message":"not available"}'],
  ])('in the transport error mode answers for channel "%s" with %i', (channel, status, body) => {
    const { engine } = createEngine();
    expect(callApi(engine, 'history', JSON.stringify({ channel }), true)).toEqual({ status, body, isJson: true });
  });

  it('in its old form names its method itself', () => {
    const { engine } = createEngine();
    const body =
      '{"id":7,"method":"publish","params":{"channel":"trpc:a","data":1}} {"method":6,"params":{"channel":"no:a"}}\n{"params":{}}';
    expect(callApi(engine, '', body, false).body.split('\n')).toEqual([
      '{"id":7,"result":{"offset":1,"epoch":"epoch001"}}',
      '{"error":{"code":102,"message":"unknown channel"}}',
      '{"error":{"code":107,"message":"bad request"}}',
    ]);
    expect(callApi(engine, '', '', false).status).toBe(400);
    expect(callApi(engine, '', '{"method":"nope"}', false).status).toBe(400);
  });
});

describe('an idempotency key', () => {
  it('publishes once per channel, and answers the same', () => {
    const { engine } = createEngine();
    const publish = (channel: string) => call(engine, 'publish', { channel, data: 1, idempotency_key: 'k' });
    expect(publish('trpc:a')).toEqual({ result: { offset: 1, epoch: 'epoch001' } });
    expect(publish('trpc:a')).toEqual({ result: { offset: 1, epoch: 'epoch001' } });
    expect(publish('trpc:b')).toEqual({ result: { offset: 1, epoch: 'epoch002' } });
  });

  it('counts without history too, and in broadcasts', () => {
    const { engine, connect } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'plain:a' } });
    for (let i = 0; i < 2; i++) call(engine, 'broadcast', { channels: ['plain:a'], data: i, idempotency_key: 'k' });
    expect(client.peer.take()).toEqual(['{"push":{"channel":"plain:a","pub":{"data":0}}}']);
  });

  it('is forgotten after five minutes', () => {
    const { engine, clock } = createEngine();
    const publish = () => call(engine, 'publish', { channel: 'trpc:a', data: 1, idempotency_key: 'k' });
    publish();
    clock.advance(299_000);
    expect(publish()).toMatchObject({ result: { offset: 1 } });
    clock.advance(2_000);
    expect(publish()).toMatchObject({ result: { offset: 2 } });
  });
});

describe('a version', () => {
  it('keeps older publications out', () => {
    const { engine } = createEngine();
    const publish = (version: number, version_epoch = '') =>
      call(engine, 'publish', { channel: 'trpc:a', data: 1, version, version_epoch });
    expect(publish(5)).toMatchObject({ result: { offset: 1 } });
    expect(publish(5)).toMatchObject({ result: { offset: 1 } });
    expect(publish(4, 'a')).toMatchObject({ result: { offset: 2 } });
    expect(publish(3, 'a')).toMatchObject({ result: { offset: 2 } });
  });
});

describe('calls about users', () => {
  it('subscribe and unsubscribe all connections of a user', () => {
    const { engine, connect } = createEngine();
    const [a, b, other] = [connect(), connect(), connect({ sub: 'u2' })];
    for (const client of [a, b, other]) client.peer.take();
    expect(call(engine, 'subscribe', { user: 'u1', channel: 'trpc:a', data: { h: 1 } })).toEqual({ result: {} });
    for (const client of [a, b])
      expect(client.peer.take()).toEqual([
        '{"push":{"channel":"trpc:a","subscribe":{"recoverable":true,"epoch":"epoch001","positioned":true,"data":{"h":1}}}}',
      ]);
    expect(other.peer.take()).toEqual([]);
    expect(a.send({ id: 2, subscribe: { channel: 'trpc:a' } })[0]).toContain('105');
    call(engine, 'unsubscribe', { user: 'u1', channel: 'trpc:a' });
    expect(a.peer.take()).toEqual([
      '{"push":{"channel":"trpc:a","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}',
    ]);
    expect(engine.hub.subscriptionCount).toBe(0);
  });

  it('subscribe again in place of the first time, without doubling deliveries', () => {
    const { engine, connect } = createEngine();
    const client = connect();
    for (let i = 0; i < 2; i++) call(engine, 'subscribe', { user: 'u1', channel: 'trpc:a' });
    client.peer.take();
    call(engine, 'publish', { channel: 'trpc:a', data: 1 });
    expect(client.peer.take()).toHaveLength(1);
    expect(engine.hub.subscriptionCount).toBe(1);
  });

  it('subscribe from a position: it is the position that the client is told', () => {
    const { engine, connect } = createEngine();
    for (let i = 0; i < 2; i++) call(engine, 'publish', { channel: 'trpc:a', data: i });
    const client = connect();
    client.peer.take();
    call(engine, 'subscribe', { user: 'u1', channel: 'trpc:a', recover_since: { offset: 1, epoch: 'epoch001' } });
    expect(client.peer.take()).toEqual([
      '{"push":{"channel":"trpc:a","subscribe":{"recoverable":true,"epoch":"epoch001","offset":1,"positioned":true}}}',
    ]);
  });

  it('unsubscribe from nothing without a channel, and tell so', () => {
    const { engine, connect } = createEngine();
    const client = connect({ sub: 'u1', channels: ['plain:a', 'plain:b'] });
    client.peer.take();
    call(engine, 'unsubscribe', { user: 'u1' });
    expect(client.session.subscriptions.size).toBe(2);
    expect(client.peer.take()).toEqual(['{"push":{"unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}']);
  });

  it('close the connection that a subscription would put over the channel limit with 3505', () => {
    const { engine, connect } = createEngine({ client: { channelLimit: 1 } });
    const client = connect({ sub: 'u1', channels: ['plain:a'] });
    expect(call(engine, 'subscribe', { user: 'u1', channel: 'plain:b' })).toEqual({ result: {} });
    expect(client.peer.closed?.code).toBe(3505);
  });

  it('disconnect with 3503, or with the code that they give', () => {
    const { engine, connect } = createEngine();
    const first = connect();
    call(engine, 'disconnect', { user: 'u1' });
    expect(first.peer.closed).toEqual({ code: 3503, reason: 'force disconnect' });
    const second = connect();
    call(engine, 'disconnect', { user: 'u1', disconnect: { code: 3014, reason: 'state invalidated' } });
    expect(second.peer.closed).toEqual({ code: 3014, reason: 'state invalidated' });
  });

  it('without a user mean all anonymous connections, and nobody else', () => {
    const { engine, connect } = createEngine();
    const [nobody, somebody] = [connect({}), connect()];
    call(engine, 'disconnect', {});
    expect(nobody.peer.closed?.code).toBe(3503);
    expect(somebody.peer.closed).toBeUndefined();
  });

  it('can mean one connection, and spare some', () => {
    const { engine, connect } = createEngine();
    const [a, b, c] = [connect(), connect(), connect()];
    call(engine, 'disconnect', { user: 'u1', client: a.session.id });
    call(engine, 'disconnect', { user: 'u1', whitelist: [c.session.id] });
    expect([a, b, c].map(({ peer }) => peer.closed?.code)).toEqual([3503, 3503, undefined]);
  });

  it('refresh: a new expiry is pushed, an expired one closes with 3005', () => {
    const { engine, connect, nowSeconds, clock } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const client = connect();
    client.peer.take();
    call(engine, 'refresh', { user: 'u1', expire_at: nowSeconds() + 60 });
    expect(client.peer.take()).toEqual(['{"push":{"refresh":{"expires":true,"ttl":60}}}']);
    call(engine, 'refresh', { user: 'u1' });
    expect(client.peer.take()).toEqual(['{"push":{"refresh":{}}}']);
    clock.advance(100_000);
    expect(client.peer.closed).toBeUndefined();
    call(engine, 'refresh', { user: 'u1', expired: true });
    expect(client.peer.closed).toEqual({ code: 3005, reason: 'connection expired' });
  });

  it('count clients, users, channels and subscriptions', () => {
    const { engine, connect, clock } = createEngine({ name: 'here' });
    connect({ sub: 'u1', channels: ['plain:a', 'pres:a'] });
    connect({ sub: 'u1', channels: ['plain:a'] });
    clock.advance(5_000);
    expect(call(engine, 'channels', { pattern: 'p*:a' })).toEqual({
      result: { channels: { 'plain:a': { num_clients: 2 }, 'pres:a': { num_clients: 1 } } },
    });
    expect(call(engine, 'info', {})).toEqual({
      result: {
        nodes: [
          {
            uid: 'client-1',
            name: 'here',
            version: '6.9.1 OSS',
            num_clients: 2,
            num_users: 1,
            num_channels: 2,
            uptime: 5,
            num_subs: 3,
          },
        ],
      },
    });
  });
});

describe('the format of publications', () => {
  it.each([
    ['json_object', '{"a":1}', true],
    ['json_object', '[1]', false],
    ['json_object', 'null', false],
    ['json', 'null', true],
  ] as const)('%s: %s is accepted: %s', (publicationDataFormat, data, expected) => {
    const { engine } = createEngine({ channel: { namespaces: { form: { publicationDataFormat } } } });
    const answer = call(engine, 'publish', `{"channel":"form:a","data":${data}}`);
    expect(answer).toEqual(expected ? { result: {} } : BAD_REQUEST);
  });

  it('binary lets the empty one through, json keeps bytes out', () => {
    const namespaces = { bin: { publicationDataFormat: 'binary' }, json: { publicationDataFormat: 'json' } } as const;
    const { engine } = createEngine({ channel: { namespaces } });
    expect(call(engine, 'publish', { channel: 'bin:a' })).toEqual({ result: {} });
    expect(call(engine, 'publish', { channel: 'json:a', b64data: '/w==' })).toEqual(BAD_REQUEST);
  });
});

describe('memory', () => {
  it('is given back: idle channels, expired history and old streams go', () => {
    const namespaces = { short: { historySize: 5, historyTtlMs: 1000, historyMetaTtlMs: 10_000 } };
    const { engine, clock } = createEngine({ channel: { namespaces } });
    for (let i = 0; i < 100; i++) call(engine, 'publish', { channel: `short:${i}`, data: 1, idempotency_key: 'k' });
    clock.advance(3_000);
    expect([...engine.hub.channels.values()].every(({ stream }) => stream?.length === 0)).toBe(true);
    clock.advance(12_000);
    expect(engine.hub.channels.size).toBe(0);
  });
});
