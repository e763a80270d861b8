import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { type ChannelName, Channels } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import type { RealtimeOptions } from './config.ts';
import { createRealtime } from './create-realtime.ts';
import type { PublishReport } from './publish-report.ts';
import type { Realtime } from './realtime.ts';

const MESSAGE: Message = { type: 'query-invalidation', queryKey: ['user', 'notifications'] };

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => {
  vi.restoreAllMocks();
  return api.close();
});

function connect(options: RealtimeOptions = {}): Realtime {
  return createRealtime({ apiUrl: api.url, apiKey: 'key', tokenSecret: 'secret', spread: false, ...options });
}

describe('the address', () => {
  it.each(['', '/', '/api', '/api/'])('may end with "%s"', async (end) => {
    await connect({ apiUrl: `${api.url}${end}` }).publish(Channels.global(), MESSAGE);
    expect(api.methods).toEqual(['publish']);
    expect(api.requests[0]?.key).toBe('key');
  });

  it.each([
    '',
    '  ',
    'localhost:8000',
    'ws://localhost:8000',
    '/api',
    'http://',
    'http://user:password@localhost',
    'http://localhost/api?api_key=secret',
    'http://localhost/#x',
  ])('%j is refused with an error that does not show it', async (apiUrl) => {
    const publishing = connect({ apiUrl }).publish(Channels.global(), MESSAGE);
    await expect(publishing).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.not.stringMatching(/password|secret|localhost\/|user:/),
    });
    expect(api.requests).toEqual([]);
  });

  it('keeps a path before /api', async () => {
    const urls: string[] = [];
    const record: typeof fetch = async (input) => {
      urls.push(String(input));
      return Response.json({ result: {} });
    };
    await connect({ apiUrl: 'https://host/live/', fetch: record }).publish(Channels.global(), MESSAGE);
    expect(urls).toEqual(['https://host/live/api/publish']);
  });
});

describe('publish', () => {
  it('gives the position, or null where the namespace keeps no history', async () => {
    const realtime = connect();
    expect(await realtime.publish(Channels.user('7'), MESSAGE)).toEqual({
      channel: 'trpc:user:7',
      position: { epoch: 'fake', offset: 1 },
    });
    api.script.push({ body: { result: {} } });
    expect(await realtime.publish(Channels.user('7'), MESSAGE)).toMatchObject({ position: null });
  });

  it('sends what the message was when it was called', async () => {
    const queryKey = ['a'];
    const publishing = connect().publish(Channels.global(), { type: 'query-invalidation', queryKey });
    queryKey.push('b');
    await publishing;
    expect(api.published.get('trpc:global')).toEqual([{ type: 'query-invalidation', queryKey: ['a'] }]);
  });

  it('passes on tags, an idempotency key of the app, and skipHistory of an event', async () => {
    await connect().publish(
      Channels.global(),
      { type: 'event', name: 'typing', data: 1 },
      { tags: { by: '7' }, idempotencyKey: 'job-1', skipHistory: true },
    );
    expect(api.requests[0]?.body).toEqual({
      channel: 'trpc:global',
      data: { type: 'event', name: 'typing', data: 1 },
      idempotency_key: 'job-1',
      tags: { by: '7' },
      skip_history: true,
    });
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  const refused: [string, string, unknown, unknown][] = [
    ['a channel of another namespace', 'invalid_channel', 'chat:7', MESSAGE],
    ['a bad id', 'invalid_channel', 'trpc:org:a b', MESSAGE],
    ['a channel that is no string', 'invalid_channel', undefined, MESSAGE],
    ['an unknown type', 'invalid_message', Channels.global(), { type: 'oops' }],
    ['no message', 'invalid_message', Channels.global(), undefined],
    ['a message with a cycle', 'invalid_message', Channels.global(), { type: 'query-invalidation', queryKey: cycle }],
    ['a BigInt', 'invalid_message', Channels.global(), { type: 'event', name: 'x', data: 1n }],
    ['1 MB', 'invalid_message', Channels.global(), { type: 'event', name: 'x', data: 'x'.repeat(1_000_000) }],
    [
      '65,537 bytes of UTF-8',
      'invalid_message',
      Channels.global(),
      { type: 'event', name: 'x', data: '€'.repeat(21_834) },
    ],
  ];
  it.each(refused)('refuses %s with %s before anything is sent', async (_, code, channel, message) => {
    const publishing = connect().publish(channel as ChannelName, message as Message);
    await expect(publishing).rejects.toMatchObject({ code });
    expect(api.requests).toEqual([]);
  });

  it('takes a message of exactly 65,536 bytes', async () => {
    const room = 65_536 - JSON.stringify({ type: 'event', name: 'x', data: '' }).length;
    await connect().publish(Channels.global(), { type: 'event', name: 'x', data: 'x'.repeat(room) });
    expect(api.requests).toHaveLength(1);
  });

  it('refuses to keep an invalidation out of the history', async () => {
    const publishing = connect().publish(Channels.global(), MESSAGE, { skipHistory: true });
    await expect(publishing).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('is not disturbed by a bad publish in the same tick', async () => {
    const realtime = connect();
    const [bad, good] = await Promise.allSettled([
      realtime.publish('chat:7' as ChannelName, MESSAGE),
      realtime.publish(Channels.global(), MESSAGE),
    ]);
    expect(bad.status).toBe('rejected');
    expect(good.status).toBe('fulfilled');
  });
});

describe('publishMany', () => {
  it('takes a channel that is given twice once, in one request', async () => {
    const channels = [Channels.org('1'), Channels.org('2'), Channels.org('1')];
    const outcomes = await connect().publishMany(channels, MESSAGE);
    expect(outcomes).toEqual([
      { channel: 'trpc:org:1', ok: true, position: { epoch: 'fake', offset: 1 } },
      { channel: 'trpc:org:2', ok: true, position: { epoch: 'fake', offset: 1 } },
    ]);
    expect(api.methods).toEqual(['broadcast']);
  });

  it('asks nothing for no channel', async () => {
    expect(await connect().publishMany([], MESSAGE)).toEqual([]);
    expect(api.requests).toEqual([]);
  });

  it('reports a failure of the whole call for each channel', async () => {
    api.handler = () => ({ status: 401 });
    const outcomes = await connect().publishMany([Channels.org('1'), Channels.org('2')], MESSAGE);
    expect(outcomes).toMatchObject([
      { ok: false, error: { code: 'api_unauthorized' } },
      { ok: false, error: { code: 'api_unauthorized' } },
    ]);
  });
});

describe('onPublish', () => {
  it('hears of success, partial failure and attempts', async () => {
    const reports: PublishReport[] = [];
    const realtime = connect({ onPublish: (report) => reports.push(report) });
    api.script.push({ status: 500 });
    await realtime.publish(Channels.global(), MESSAGE);
    api.script.push({ body: { error: { code: 102, message: 'unknown channel' } } });
    await realtime.publish(Channels.org('1'), MESSAGE).catch(() => undefined);
    expect(reports).toMatchObject([
      { message: MESSAGE, attempts: 2, outcomes: [{ channel: 'trpc:global', ok: true }] },
      { attempts: 1, outcomes: [{ channel: 'trpc:org:1', ok: false, error: { brokerCode: 102 } }] },
    ]);
    expect(reports.every(({ durationMs, startedAt }) => durationMs >= 0 && startedAt > 0)).toBe(true);
  });

  it('cannot break a publish: what it throws is printed', async () => {
    const print = vi.spyOn(console, 'error').mockReturnValue();
    const realtime = connect({
      onPublish: () => {
        throw new RangeError('of the app');
      },
    });
    await expect(realtime.publish(Channels.global(), MESSAGE)).resolves.toMatchObject({ channel: 'trpc:global' });
    expect(print).toHaveBeenCalledExactlyOnceWith('[@op/realtime] onPublish threw.', expect.any(RangeError));
  });
});

describe('positions', () => {
  it('come for several channels in one request, with null where the broker refuses', async () => {
    api.script.push({
      body: {
        replies: [
          { history: { publications: [], epoch: 'e', offset: 4 } },
          { error: { code: 108, message: 'not available' } },
        ],
      },
    });
    const positions = await connect().positions([Channels.org('1'), Channels.org('2'), Channels.org('1')]);
    expect([...positions]).toEqual([
      ['trpc:org:1', { epoch: 'e', offset: 4 }],
      ['trpc:org:2', null],
    ]);
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]?.body.commands).toHaveLength(2);
  });

  it('of one channel are a plain history call, and null where the broker refuses', async () => {
    const realtime = connect();
    expect(await realtime.positions([Channels.org('1')])).toEqual(
      new Map([[Channels.org('1'), { epoch: 'fake', offset: 0 }]]),
    );
    api.script.push({ body: { error: { code: 108, message: 'not available' } } });
    expect(await realtime.positions([Channels.org('1')])).toEqual(new Map([[Channels.org('1'), null]]));
    expect(api.methods).toEqual(['history', 'history']);
  });

  it('of none ask nothing', async () => {
    expect(await connect().positions([])).toEqual(new Map());
    expect(api.requests).toEqual([]);
  });

  it('have a time limit of their own', async () => {
    api.handler = () => 'hang';
    const asking = connect().positions([Channels.org('1'), Channels.org('2')], { timeoutMs: 20 });
    await expect(asking).rejects.toMatchObject({ code: 'timeout', timeoutMs: 20 });
  });
});

describe('history', () => {
  it('gives the top and the publications', async () => {
    api.script.push({
      body: {
        result: {
          publications: [
            { data: MESSAGE, offset: 3, tags: { a: 'b' } },
            { data: 1, offset: 4 },
          ],
          epoch: 'e',
          offset: 4,
        },
      },
    });
    const history = await connect().history(Channels.org('1'), { limit: 2, since: { epoch: 'e', offset: 2 } });
    expect(history).toEqual({
      position: { epoch: 'e', offset: 4 },
      publications: [
        { offset: 3, data: MESSAGE, tags: { a: 'b' } },
        { offset: 4, data: 1, tags: {} },
      ],
    });
    expect(api.requests[0]?.body).toEqual({
      channel: 'trpc:org:1',
      limit: 2,
      reverse: false,
      since: { epoch: 'e', offset: 2 },
    });
  });
});

describe('presence', () => {
  it('lists clients and counts them', async () => {
    api.script.push(
      { body: { result: { presence: { c1: { client: 'c1', user: '7', conn_info: { name: 'Ada' } } } } } },
      { body: { result: { num_clients: 3, num_users: 2 } } },
    );
    const realtime = connect();
    expect(await realtime.presence(Channels.org('1'))).toEqual([
      { clientId: 'c1', userId: '7', connectionInfo: { name: 'Ada' } },
    ]);
    expect(await realtime.presenceStats(Channels.org('1'))).toEqual({ clients: 3, users: 2 });
  });
});

describe('subscriberCount', () => {
  const answer = (clients: number) => ({ body: { result: { channels: { 'trpc:org:1': { num_clients: clients } } } } });

  it('is asked once for callers at the same time, and again when it is old', async () => {
    let now = 0;
    const clock = { now: () => now, after: () => () => undefined };
    api.script.push(answer(3), answer(5));
    const realtime = connect({ clock, subscriberCountMaxAgeMs: 1000 });
    const count = () => realtime.subscriberCount(Channels.org('1'));
    expect(await Promise.all([count(), count()])).toEqual([3, 3]);
    now = 999;
    expect(await count()).toBe(3);
    now = 1000;
    expect(await count()).toBe(5);
    expect(api.requests.map(({ body }) => body)).toEqual([{ pattern: 'trpc:org:1' }, { pattern: 'trpc:org:1' }]);
  });

  it('is 0 for a channel without subscribers, and a failure is not remembered', async () => {
    api.script.push({ status: 401 }, { body: { result: { channels: {} } } });
    const realtime = connect();
    await expect(realtime.subscriberCount(Channels.org('1'))).rejects.toMatchObject({ code: 'api_unauthorized' });
    expect(await realtime.subscriberCount(Channels.org('1'))).toBe(0);
  });
});

describe('taking away', () => {
  it('revoke of a channel ends the subscription, then has the client fetch new tokens, in one request', async () => {
    await connect().revoke('7', Channels.org('1'));
    expect(api.requests.map(({ body }) => body)).toEqual([
      {
        commands: [
          { unsubscribe: { user: '7', channel: 'trpc:org:1' } },
          { disconnect: { user: '7', disconnect: { code: 3014, reason: 'state invalidated' } } },
        ],
        parallel: false,
      },
    ]);
  });

  it('revoke of a user has the client fetch new tokens', async () => {
    await connect().revoke('7');
    expect(api.requests).toMatchObject([
      { method: 'disconnect', body: { user: '7', disconnect: { code: 3014, reason: 'state invalidated' } } },
    ]);
  });

  it('revoke reports a refusal of one of its two commands', async () => {
    api.script.push({ body: { replies: [{ error: { code: 102, message: 'unknown channel' } }, { disconnect: {} }] } });
    await expect(connect().revoke('7', Channels.org('1'))).rejects.toMatchObject({ brokerCode: 102 });
  });

  it('disconnect is final unless another code is given', async () => {
    const realtime = connect();
    await realtime.disconnect('7');
    await realtime.disconnect('7', { code: 4000, reason: 'moved' });
    expect(api.requests.map(({ body }) => body.disconnect)).toEqual([
      { code: 3503, reason: 'force disconnect' },
      { code: 4000, reason: 'moved' },
    ]);
  });

  it.each(['', undefined, 7])('never acts on the user %j: an empty one means all anonymous users', async (userId) => {
    const realtime = connect();
    const user = userId as string;
    for (const call of [
      realtime.revoke(user),
      realtime.disconnect(user),
      realtime.unsubscribe(user, Channels.org('1')),
    ])
      await expect(call).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(api.requests).toEqual([]);
  });
});
