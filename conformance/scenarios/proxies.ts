import { expect } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import type { AppAnswer, AppRequest } from '../clients/app.ts';
import type { ProtobufClient } from '../clients/protobuf-client.ts';
import { inSeconds } from '../clients/tokens.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

/** The connect command of a scenario without a token, so that the application decides. */
const connectCommand = (t: ScenarioContext, more: object = {}) => ({
  connect: { data: { scenario: t.unique }, ...more },
});

const result = (value: object): AppAnswer => ({ json: { result: value } });
const error = (code: number, message: string): AppAnswer => ({ json: { error: { code, message } } });
const disconnect = (code: number, reason: string): AppAnswer => ({ json: { disconnect: { code, reason } } });

/** Answers by the path of the request. */
const byPath =
  (answers: Record<string, (request: AppRequest) => AppAnswer>) =>
  (request: AppRequest): AppAnswer =>
    answers[request.path]?.(request) ?? { status: 404, text: 'unexpected' };

export const proxyScenarios: readonly Scenario[] = scenarios('proxies', 'proxies', {
  'connect: the request and the reply': async (t) => {
    const requests = t.answer(() =>
      result({ user: t.user(), info: { i: 1 }, data: { d: 1 }, channels: [t.channel('closed')] }),
    );
    const wire = await t.open();
    const reply = await wire.call(connectCommand(t, { name: 'js', version: '1.0' }));
    expect(reply).toEqual({
      connect: {
        client: expect.any(String),
        version: expect.any(String),
        data: { d: 1 },
        subs: { [t.channel('closed')]: {} },
        ping: 25,
        pong: true,
      },
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.path).toBe('/connect');
    expect(requests[0]?.body).toEqual({
      client: expect.any(String),
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      name: 'js',
      version: '1.0',
      data: { scenario: t.unique },
    });
  },
  'connect: real and emulated headers': async (t) => {
    const requests = t.answer(() => result({ user: t.user() }));
    const wire = await t.open({
      headers: { Cookie: 'a=b', Origin: 'http://app.example', 'X-Real': 'real', 'X-Other': 'o' },
    });
    await wire.call(connectCommand(t, { headers: { 'X-Real': 'forged', 'X-Emulated': 'e', 'X-Unlisted': 'u' } }));
    const headers = requests[0]!.headers;
    expect(headers).toMatchObject({ cookie: 'a=b', origin: 'http://app.example', 'x-real': 'real', 'x-emulated': 'e' });
    expect(headers).not.toHaveProperty('x-other');
    expect(headers).not.toHaveProperty('x-unlisted');
  },
  'connect: an emulated header stands in for a missing real one': async (t) => {
    const requests = t.answer(() => result({ user: t.user() }));
    const wire = await t.open();
    await wire.call(connectCommand(t, { headers: { 'X-Real': 'forged' } }));
    expect(requests[0]!.headers['x-real']).toBe('forged');
  },
  "connect: subs with options; an expiry is the application's business, not the client's": async (t) => {
    t.answer(() =>
      result({ user: t.user(), expire_at: 4_102_444_800, subs: { [t.channel('closed')]: { data: { s: 1 } } } }),
    );
    const wire = await t.open();
    const { connect } = await wire.call(connectCommand(t));
    expect(connect).toMatchObject({ subs: { [t.channel('closed')]: { data: { s: 1 } } } });
    expect(connect).not.toHaveProperty('expires');
  },
  'connect: without a user the client is nobody': async (t) => {
    t.answer(() => result({}));
    const wire = await t.open();
    expect(await wire.call(connectCommand(t))).toMatchObject({ connect: { client: expect.any(String) } });
  },
  'connect: an error reaches the client': async (t) => {
    t.answer(() => error(1000, 'not today'));
    const wire = await t.open();
    expect(await wire.call(connectCommand(t))).toEqual({ error: { code: 1000, message: 'not today' } });
  },
  'connect: a temporary error stays temporary': async (t) => {
    t.answer(() => ({ json: { error: { code: 1000, message: 'later', temporary: true } } }));
    const wire = await t.open();
    expect(await wire.call(connectCommand(t))).toEqual({ error: { code: 1000, message: 'later', temporary: true } });
  },
  'connect: a disconnect closes': async (t) => {
    t.answer(() => disconnect(4501, 'banned'));
    const wire = await t.open();
    wire.send({ id: 1, ...connectCommand(t) });
    expect(await wire.closeCode()).toEqual({ code: 4501, reason: 'banned' });
  },
  'connect: an empty answer, and a failing application': async (t) => {
    const answers: AppAnswer[] = [{ json: {} }, { status: 500, text: 'oops' }, { status: 200, text: 'no json' }];
    const outcomes: unknown[] = [];
    for (const answer of answers) {
      t.answer(() => answer);
      const wire = await t.open();
      wire.send({ id: 1, ...connectCommand(t) });
      outcomes.push(await Promise.race([wire.reply(1).catch(() => wire.closed), wire.closed]));
    }
    expect(outcomes).toEqual([
      { code: 3501, reason: 'bad request' },
      { error: { code: 100, message: 'internal server error', temporary: true } },
      { error: { code: 100, message: 'internal server error', temporary: true } },
    ]);
  },
  'connect: a client with a token does not ask the application': async (t) => {
    const requests = t.answer(() => result({ user: 'somebody' }));
    const wire = await t.open();
    const reply = await wire.call({
      connect: { token: await t.token({ sub: t.user() }), data: { scenario: t.unique } },
    });
    expect(reply).toMatchObject({ connect: { client: expect.any(String) } });
    expect(requests).toEqual([]);
  },
  'connect: an unknown channel in the answer is error 102, an expiry in the past error 110': async (t) => {
    t.answer(() => result({ user: t.user(), channels: ['nowhere:x'] }));
    const wire = await t.open();
    expect(await wire.call(connectCommand(t))).toEqual({ error: { code: 102, message: 'unknown channel' } });
    t.answer(() => result({ user: t.user(), expire_at: inSeconds(-10) }));
    const other = await t.open();
    expect(await other.call(connectCommand(t))).toEqual({ error: { code: 110, message: 'expired' } });
  },
  'connect: channels that the client asks for are told to the application, which decides': async (t) => {
    const requests = t.answer(() => result({ user: t.user() }));
    const wire = await t.open();
    const { connect } = await wire.call(connectCommand(t, { subs: { [t.channel('plain')]: {} } }));
    expect(connect).not.toHaveProperty('subs');
    expect(requests[0]?.body).toMatchObject({ channels: [t.channel('plain')] });
  },
  'refresh: a client whose connection the application prolongs must not send a token': async (t) => {
    const wire = await t.connect();
    wire.send({ id: 5, refresh: { token: await t.token({ sub: t.user() }) } });
    expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
  },
  'refresh: the application prolongs a connection that it let in': async (t) => {
    const requests = t.answer(
      byPath({
        '/connect': () => result({ user: t.user(), expire_at: inSeconds(2) }),
        '/refresh': ({ body }) => result(body.user === t.user() ? { expire_at: inSeconds(3600) } : { expired: true }),
      }),
    );
    const wire = await t.open();
    await wire.call(connectCommand(t));
    const other = await t.connect({ sub: t.user('b'), exp: inSeconds(3) }); // a token's connection is the application's too
    expect(await other.closeCode()).toEqual({ code: 3005, reason: 'connection expired' });
    expect(wire.isClosed).toBe(false);
    const refreshes = requests.filter(({ path, body }) => path === '/refresh' && body.user === t.user());
    expect(refreshes).toHaveLength(1);
    expect(refreshes[0]?.body).toEqual({
      client: expect.any(String),
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      user: t.user(),
    });
  },
  'refresh: the application ends a connection': async (t) => {
    t.answer(
      byPath({
        '/connect': () => result({ user: t.user(), expire_at: inSeconds(2) }),
        '/refresh': () => result({ expired: true }),
      }),
    );
    const wire = await t.open();
    await wire.call(connectCommand(t));
    expect(await wire.closeCode()).toEqual({ code: 3005, reason: 'connection expired' });
  },
  'subscribe: the request and the reply': async (t) => {
    const channel = t.channel('proxied');
    const requests = t.answer(() => result({ data: { d: 1 }, info: { s: 1 }, expire_at: 4_102_444_800 }));
    const wire = await t.connect({ sub: t.user(), info: { c: 1 }, meta: { m: 1 } });
    expect(await wire.call({ subscribe: { channel, data: { ask: 1 } } })).toEqual({
      subscribe: { data: { d: 1 } },
    });
    expect(requests[0]?.path).toBe('/subscribe');
    expect(requests[0]?.body).toEqual({
      client: expect.any(String),
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      user: t.user(),
      channel,
      data: { ask: 1 },
    });
    const presence = await wire.call({ presence: { channel } });
    expect(Object.values((presence.presence as { presence: object }).presence)).toEqual([
      { client: expect.any(String), user: t.user(), conn_info: { c: 1 }, chan_info: { s: 1 } },
    ]);
  },
  'subscribe: an empty result lets in': async (t) => {
    t.answer(() => result({}));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toEqual({ subscribe: {} });
  },
  'subscribe: an override': async (t) => {
    t.answer(() => result({ override: { force_recovery: { value: true } } }));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toMatchObject({
      subscribe: { recoverable: true, positioned: true },
    });
  },
  'subscribe: what the client wishes does not count': async (t) => {
    t.answer(() => result({}));
    const wire = await t.connect();
    expect(
      await wire.call({ subscribe: { channel: t.channel('proxied'), recoverable: true, positioned: true } }),
    ).toEqual({ subscribe: {} });
  },
  'subscribe: an expiry in the past is error 110': async (t) => {
    t.answer(() => result({ expire_at: inSeconds(-10) }));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toEqual({
      error: { code: 110, message: 'expired' },
    });
  },
  'subscribe: base64 that is none is error 100': async (t) => {
    t.answer(() => result({ b64info: '?' }));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toEqual({
      error: { code: 100, message: 'internal server error', temporary: true },
    });
  },
  'subscribe: an error reaches the client': async (t) => {
    t.answer(() => error(403, 'not yours'));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toEqual({
      error: { code: 403, message: 'not yours' },
    });
  },
  'subscribe: a disconnect closes': async (t) => {
    t.answer(() => disconnect(4501, 'banned'));
    const wire = await t.connect();
    wire.send({ id: 5, subscribe: { channel: t.channel('proxied') } });
    expect(await wire.closeCode()).toEqual({ code: 4501, reason: 'banned' });
  },
  'subscribe: a failing application is error 100': async (t) => {
    t.answer(() => ({ status: 500, text: 'oops' }));
    const wire = await t.connect();
    expect(await wire.call({ subscribe: { channel: t.channel('proxied') } })).toEqual({
      error: { code: 100, message: 'internal server error', temporary: true },
    });
  },
  'subscribe: a token stands for the application': async (t) => {
    const channel = t.channel('proxied');
    const requests = t.answer(() => error(403, 'no'));
    const wire = await t.connect();
    const token = await t.token({ sub: t.user(), channel });
    expect(await wire.call({ subscribe: { channel, token } })).toEqual({ subscribe: {} });
    expect(requests).toEqual([]);
  },
  'sub_refresh: the application prolongs or ends a subscription': async (t) => {
    const [kept, ended] = [t.channel('proxied', 'kept'), t.channel('proxied', 'ended')];
    const requests = t.answer(
      byPath({
        '/subscribe': () => result({ expire_at: inSeconds(2) }),
        '/sub_refresh': ({ body }) =>
          result(body.channel === kept ? { expire_at: inSeconds(3600) } : { expired: true }),
      }),
    );
    const wire = await t.connect();
    await wire.call({ subscribe: { channel: kept } });
    await wire.call({ subscribe: { channel: ended } });
    expect(await wire.push()).toEqual({ channel: ended, unsubscribe: { code: 2501, reason: 'subscription expired' } });
    // The two subscriptions are asked about on their own; the end of one says nothing about the other.
    const refresh = await eventually(() => {
      const found = requests.find(({ path, body }) => path === '/sub_refresh' && body.channel === kept);
      expect(found).toBeDefined();
      return found!;
    });
    expect(refresh.body).toMatchObject({ user: t.user(), channel: kept });
    await t.api('publish', { channel: kept, data: 1 });
    expect(await wire.publication(kept)).toMatchObject({ data: 1 });
  },
  'sub_refresh: a client whose subscription the application prolongs must not send a token': async (t) => {
    const channel = t.channel('proxied');
    t.answer(() => result({}));
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    wire.send({ id: 5, sub_refresh: { channel, token: await t.token({ sub: t.user(), channel }) } });
    expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
  },
  'publish: the request, and the data as it was': async (t) => {
    const channel = t.channel('proxied');
    const requests = t.answer(() => result({}));
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    expect(await wire.call({ publish: { channel, data: { a: 1 } } })).toEqual({ publish: {} });
    expect(await wire.publication(channel)).toMatchObject({ data: { a: 1 }, info: { user: t.user() } });
    expect(requests[1]).toMatchObject({
      path: '/publish',
      body: { client: expect.any(String), user: t.user(), channel, data: { a: 1 } },
    });
  },
  'publish: the application replaces the data': async (t) => {
    const channel = t.channel('proxied');
    t.answer(({ path }) => result(path === '/publish' ? { data: { replaced: true } } : {}));
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    await wire.call({ publish: { channel, data: { a: 1 } } });
    expect(await wire.publication(channel)).toMatchObject({ data: { replaced: true } });
  },
  'publish: tags and base64 from the application; the same key publishes once': async (t) => {
    const channel = t.channel('proxied');
    t.answer(({ path }) =>
      result(path === '/publish' ? { b64data: 'eyJiIjoxfQ==', tags: { a: 'b' }, idempotency_key: 'once' } : {}),
    );
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    await wire.call({ publish: { channel, data: 1 } });
    await wire.call({ publish: { channel, data: 2 } });
    expect(await wire.publication(channel)).toMatchObject({ data: { b: 1 }, tags: { a: 'b' }, offset: 1 });
    await wire.settle();
    expect(wire.unread).toEqual([]);
  },
  'publish: the application keeps it out of the history': async (t) => {
    const channel = t.channel('proxied');
    t.answer(({ path }) => result(path === '/publish' ? { skip_history: true } : {}));
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    await wire.call({ publish: { channel, data: 1 } });
    expect(await wire.publication(channel)).not.toHaveProperty('offset');
  },
  'publish: an error reaches the client, and nobody else anything': async (t) => {
    const channel = t.channel('proxied');
    t.answer(({ path }) => (path === '/publish' ? error(1001, 'rude') : result({})));
    const wire = await t.connect();
    await wire.call({ subscribe: { channel } });
    expect(await wire.call({ publish: { channel, data: 1 } })).toEqual({ error: { code: 1001, message: 'rude' } });
    await wire.settle();
    expect(wire.unread).toEqual([]);
  },
  'rpc: the request and the reply': async (t) => {
    const requests = t.answer(() => result({ data: { answer: 42 } }));
    const wire = await t.connect({ sub: t.user(), meta: { m: 1 } }, { headers: { Cookie: 'a=b' } });
    expect(await wire.call({ rpc: { method: 'post.list', data: { q: 1 } } })).toEqual({
      rpc: { data: { answer: 42 } },
    });
    expect(requests[0]).toMatchObject({ path: '/rpc', headers: { cookie: 'a=b', 'x-static': 's' } });
    expect(requests[0]?.body).toEqual({
      client: expect.any(String),
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      user: t.user(),
      method: 'post.list',
      data: { q: 1 },
      meta: { m: 1 },
    });
  },
  'rpc: null, a result of null and an answer in another case': async (t) => {
    const wire = await t.connect();
    const outcomes: unknown[] = [];
    for (const text of ['{"result":{"data":null}}', '{"result":null}', 'null', '{"Result":{"DATA":1}}', '[]', '']) {
      t.answer(() => ({ status: 200, text }));
      outcomes.push(await wire.call({ rpc: { method: 'x' } }));
    }
    const failed = { error: { code: 100, message: 'internal server error', temporary: true } };
    expect(outcomes).toEqual([{ rpc: { data: null } }, { rpc: {} }, { rpc: {} }, { rpc: { data: 1 } }, failed, failed]);
  },
  'rpc: a disconnect wins over an error, an error over a result': async (t) => {
    const wire = await t.connect();
    t.answer(() => ({ json: { result: { data: 1 }, error: { code: 1003, message: 'no' } } }));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({ error: { code: 1003, message: 'no' } });
    t.answer(() => ({ json: { error: { code: 1003 }, disconnect: { code: 4503, reason: 'bye' } } }));
    wire.send({ id: 5, rpc: { method: 'x' } });
    expect(await wire.closeCode()).toEqual({ code: 4503, reason: 'bye' });
  },
  'rpc: over Protobuf': async (t) => {
    const requests = t.answer(() => result({ data: { answer: 42 } }));
    const wire = (await t.openOver('protobuf')) as ProtobufClient;
    await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    expect(await wire.call({ rpc: { method: 'x', data: { q: 1 } } })).toEqual({ rpc: { data: { answer: 42 } } });
    expect(requests[0]?.body).toMatchObject({ transport: 'websocket', protocol: 'protobuf', encoding: 'json' });
    // id 9, rpc {data "\x01", method "x"}: not JSON, so the application cannot be told
    const command = [0x08, 9, 0x6a, 6, 0x0a, 1, 1, 0x12, 1, 0x78];
    wire.sendBinary(Buffer.from([command.length, ...command]));
    expect(await wire.reply(9)).toEqual({
      error: { code: 100, message: 'internal server error', temporary: true },
    });
    expect(requests).toHaveLength(1);
  },
  'rpc: an empty result, and an empty answer': async (t) => {
    const wire = await t.connect();
    t.answer(() => result({}));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({ rpc: {} });
    t.answer(() => ({ json: {} }));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({ rpc: {} });
  },
  'rpc: an error reaches the client, temporary or not': async (t) => {
    const wire = await t.connect();
    t.answer(() => error(1002, 'no'));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({ error: { code: 1002, message: 'no' } });
    t.answer(() => ({ json: { error: { code: 1002, message: 'later', temporary: true } } }));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({
      error: { code: 1002, message: 'later', temporary: true },
    });
  },
  'rpc: a disconnect closes': async (t) => {
    t.answer(() => disconnect(4502, 'enough'));
    const wire = await t.connect();
    wire.send({ id: 5, rpc: { method: 'x' } });
    expect(await wire.closeCode()).toEqual({ code: 4502, reason: 'enough' });
  },
  'rpc: a failing, silent or garbled application is error 100': async (t) => {
    const wire = await t.connect();
    for (const answer of [{ status: 500, text: 'oops' }, { hang: true as const }, { status: 200, text: 'no json' }]) {
      t.answer(() => answer);
      expect(await wire.call({ rpc: { method: 'x' } }), JSON.stringify(answer)).toEqual({
        error: { code: 100, message: 'internal server error', temporary: true },
      });
    }
  },
  'rpc: a status may stand for an error or a disconnect': async (t) => {
    const wire = await t.connect();
    t.answer(() => ({ status: 401, text: '' }));
    expect(await wire.call({ rpc: { method: 'x' } })).toEqual({ error: { code: 1401, message: 'go away' } });
    t.answer(() => ({ status: 403, text: '' }));
    wire.send({ id: 99, rpc: { method: 'x' } });
    expect(await wire.closeCode()).toEqual({ code: 4501, reason: 'out' });
  },
  'rpc: a namespace may have a proxy of its own, and an undefined one is error 104': async (t) => {
    const requests = t.answer(() => result({ data: 1 }));
    const wire = await t.connect();
    expect(await wire.call({ rpc: { method: 'named:x' } })).toEqual({ rpc: { data: 1 } });
    expect(requests[0]).toMatchObject({ path: '/other', body: { method: 'named:x' } });
    expect(await wire.call({ rpc: { method: 'nope:x' } })).toEqual({
      error: { code: 104, message: 'method not found' },
    });
  },
  'rpc: calls of one client run at the same time where concurrency allows': async (t) => {
    const wire = await t.connect();
    t.answer(({ body }) => (body.method === 'slow' ? { hang: true } : result({ data: body.method })));
    wire.send({ id: 50, rpc: { method: 'slow' } }, { id: 51, rpc: { method: 'quick' } });
    expect(await wire.next()).toMatchObject({ id: 51, rpc: { data: 'quick' } });
    expect(await wire.next()).toMatchObject({ id: 50, error: { code: 100 } });
  },
});
