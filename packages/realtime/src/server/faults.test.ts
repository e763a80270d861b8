import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiAnswer, FakeApi } from '../../test/fake-api.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { Channels } from '../core/channel.ts';
import { type ErrorCode, RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { RealtimeOptions } from './config.ts';
import { createRealtime } from './create-realtime.ts';
import type { Realtime } from './realtime.ts';

const KEY = 'key-that-nobody-may-see';
const CHANNEL = Channels.user('7');
const MESSAGE: Message = { type: 'channel-invalidation' };

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

function connect(options: RealtimeOptions = {}): Realtime {
  return createRealtime({ apiUrl: `${api.url}/api`, apiKey: KEY, timeoutMs: 5000, spread: false, ...options });
}

async function failureOf(promise: Promise<unknown>): Promise<RealtimeError> {
  const error = await promise.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(RealtimeError);
  return error as RealtimeError;
}

const brokerError = (code: number): ApiAnswer => ({ body: { error: { code, message: 'as Centrifugo says it' } } });

interface FaultRow {
  readonly fault: string;
  readonly answer: ApiAnswer;
  readonly code: ErrorCode;
  /** How many requests are made before the caller hears of it. */
  readonly requests: 1 | 2;
  readonly message: RegExp;
}

const faults: FaultRow[] = [
  { fault: 'a wrong key', answer: { status: 401, body: '' }, code: 'api_unauthorized', requests: 1, message: /apiKey/ },
  { fault: '403 of a proxy', answer: { status: 403 }, code: 'api_unauthorized', requests: 1, message: /apiKey/ },
  {
    fault: 'a wrong path',
    answer: { status: 404, body: 'not found' },
    code: 'api_unavailable',
    requests: 1,
    message: /404/,
  },
  { fault: '400', answer: { status: 400, body: 'bad' }, code: 'api_unavailable', requests: 1, message: /400/ },
  { fault: '429', answer: { status: 429 }, code: 'api_unavailable', requests: 1, message: /429/ },
  { fault: '500', answer: { status: 500, body: 'oops' }, code: 'api_unavailable', requests: 2, message: /500/ },
  {
    fault: '502 with HTML',
    answer: { status: 502, body: '<html>' },
    code: 'api_unavailable',
    requests: 2,
    message: /502/,
  },
  {
    fault: 'HTML with 200',
    answer: { body: '<!doctype html><title>Hello</title>', headers: { 'content-type': 'text/html' } },
    code: 'api_unavailable',
    requests: 1,
    message: /not that of Centrifugo's server API/,
  },
  {
    fault: 'JSON of something else',
    answer: { body: {} },
    code: 'api_unavailable',
    requests: 1,
    message: /not that of/,
  },
  { fault: 'a JSON list', answer: { body: [] }, code: 'api_unavailable', requests: 1, message: /not that of/ },
  { fault: 'an empty answer', answer: { body: '' }, code: 'api_unavailable', requests: 1, message: /not that of/ },
  {
    fault: 'a redirect',
    answer: { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' } },
    code: 'api_unavailable',
    requests: 1,
    message: /redirects/,
  },
  { fault: 'an answer cut short', answer: 'cut', code: 'api_unavailable', requests: 2, message: /cannot be reached/ },
  { fault: "the broker's 100", answer: brokerError(100), code: 'broker_error', requests: 2, message: /100/ },
  { fault: "the broker's 102", answer: brokerError(102), code: 'broker_error', requests: 1, message: /102/ },
  { fault: "the broker's 107", answer: brokerError(107), code: 'broker_error', requests: 1, message: /107/ },
  { fault: "the broker's 108", answer: brokerError(108), code: 'broker_error', requests: 1, message: /108/ },
];

const calls: [string, (realtime: Realtime) => Promise<unknown>][] = [
  ['publish', (realtime) => realtime.publish(CHANNEL, MESSAGE)],
  ['history', (realtime) => realtime.history(CHANNEL)],
  ['disconnect', (realtime) => realtime.disconnect('7')],
  ['revoke', (realtime) => realtime.revoke('7', CHANNEL)],
  ['two publishes in a tick', (realtime) => Promise.all([1, 2].map(() => realtime.publish(CHANNEL, MESSAGE)))],
];

describe.each(calls)('%s', (_, call) => {
  it.each(faults)('meets $fault with $code after $requests request(s)', async ({ answer, code, requests, message }) => {
    api.handler = () => answer;
    const error = await failureOf(call(connect()));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(api.requests).toHaveLength(requests);
    const shown = inspect(error, { depth: 5 });
    expect(shown).not.toContain(KEY);
    expect(shown).not.toContain(api.url);
  });

  it('meets an API that is down with api_unavailable, and says how the connection failed', async () => {
    const realtime = connect();
    await api.close();
    const error = await failureOf(call(realtime));
    expect(error).toMatchObject({
      code: 'api_unavailable',
      status: null,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(inspect(error)).not.toContain(api.url);
  });

  it('meets an API that does not answer with timeout, after the configured time', async () => {
    api.handler = () => 'hang';
    const error = await failureOf(call(connect({ timeoutMs: 40 })));
    expect(error).toMatchObject({ code: 'timeout', timeoutMs: 40, message: expect.stringContaining('40 ms') });
    expect(api.requests.length).toBeLessThanOrEqual(1);
  });

  it('counts the retry into the time limit', async () => {
    const clock = new ManualClock();
    api.script.push({ status: 500 });
    api.handler = () => 'hang';
    const failing = failureOf(call(connect({ clock, timeoutMs: 1000 })));
    await expect.poll(() => clock.pending).toContain(50);
    clock.advance(50);
    await expect.poll(() => api.requests.length).toBe(2);
    clock.advance(950);
    expect(await failing).toMatchObject({ code: 'timeout', timeoutMs: 1000 });
    expect(clock.pending).toEqual([]);
  });
});

it.each([
  ['publish', (realtime: Realtime) => realtime.publish(CHANNEL, MESSAGE)],
  ['history', (realtime: Realtime) => realtime.history(CHANNEL)],
] as const)('%s gives its connection back when the time is over, and only then', async (_, call) => {
  const signals: (AbortSignal | null | undefined)[] = [];
  const clock = new ManualClock();
  const recording: typeof fetch = (input, init) => {
    signals.push(init?.signal);
    return fetch(input, init);
  };
  const realtime = connect({ fetch: recording, clock });
  await call(realtime);
  api.handler = () => 'hang';
  const hanging = failureOf(call(realtime));
  await expect.poll(() => api.requests.length).toBe(2);
  clock.advance(5000);
  expect(await hanging).toMatchObject({ code: 'timeout' });
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
});

describe('a retry', () => {
  it.each(['cut' as const, { status: 500 }, { status: 503, body: '<html>' }, brokerError(100)])(
    'after %o has the same idempotency key, so that nothing is doubled',
    async (fault) => {
      api.script.push(fault);
      const result = await connect().publish(CHANNEL, MESSAGE);
      expect(result).toEqual({ channel: CHANNEL, position: { epoch: 'fake', offset: 1 } });
      expect(api.methods).toEqual(['publish', 'publish']);
      const [first, second] = api.requests.map((request) => request.body.idempotency_key);
      expect(first).toMatch(/^[0-9a-f-]{36}-\d+$/);
      expect(second).toBe(first);
    },
  );

  it('does not double what the broker had taken in before the connection broke', async () => {
    const send: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (api.requests.length === 1) throw new TypeError('fetch failed');
      return response;
    };
    const { position } = await connect({ fetch: send }).publish(CHANNEL, MESSAGE);
    expect(position).toEqual({ epoch: 'fake', offset: 1 });
    expect(api.published.get(CHANNEL)).toEqual([MESSAGE]);
  });

  it('of a shared request asks again only for what failed', async () => {
    const channels = ['1', '2', '3', '4'].map((id) => Channels.org(id));
    api.script.push({
      body: {
        replies: [
          { publish: { epoch: 'e', offset: 1 } },
          { error: { code: 100, message: 'internal' } },
          { error: { code: 102, message: 'unknown channel' } },
          { error: { code: 100, message: 'internal' } },
        ],
      },
    });
    const realtime = connect();
    const settled = await Promise.allSettled(channels.map((channel) => realtime.publish(channel, MESSAGE)));
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value.position : one.reason.brokerCode))).toEqual([
      { epoch: 'e', offset: 1 },
      { epoch: 'fake', offset: 1 },
      102,
      { epoch: 'fake', offset: 1 },
    ]);
    const [first, second] = api.requests;
    expect(second?.body.commands.map((command: { publish: unknown }) => command.publish)).toEqual([
      first?.body.commands[1].publish,
      first?.body.commands[3].publish,
    ]);
  });

  it('of a broadcast asks again only for the channels that failed', async () => {
    const channels = ['1', '2', '3'].map((id) => Channels.org(id));
    api.script.push({
      body: {
        result: {
          responses: [
            { error: { code: 100, message: 'internal' } },
            { result: { epoch: 'e', offset: 5 } },
            { error: { code: 102, message: 'unknown channel' } },
          ],
        },
      },
    });
    const outcomes = await connect().publishMany(channels, MESSAGE);
    expect(outcomes).toMatchObject([
      { channel: channels[0], ok: true, position: { epoch: 'fake', offset: 1 } },
      { channel: channels[1], ok: true, position: { epoch: 'e', offset: 5 } },
      { channel: channels[2], ok: false, error: { code: 'broker_error', brokerCode: 102 } },
    ]);
    expect(api.requests.map((request) => request.body.channels)).toEqual([channels, [channels[0]]]);
  });
});

describe('one that hangs', () => {
  it('does not hold back another channel', async () => {
    api.script.push('hang');
    const clock = new ManualClock();
    const realtime = connect({ clock });
    const hanging = failureOf(realtime.publish(Channels.org('1'), MESSAGE));
    await expect.poll(() => api.requests.length).toBe(1);
    expect(await realtime.publish(Channels.org('2'), MESSAGE)).toMatchObject({ position: { offset: 1 } });
    clock.advance(5000);
    expect(await hanging).toMatchObject({ code: 'timeout' });
  });

  it('lets a later one to the same channel pass when half of the time is over', async () => {
    api.script.push('hang');
    const clock = new ManualClock();
    const realtime = connect({ clock });
    const hanging = failureOf(realtime.publish(CHANNEL, MESSAGE));
    await expect.poll(() => api.requests.length).toBe(1);
    const later = realtime.publish(CHANNEL, MESSAGE);
    await expect.poll(() => clock.pending).toEqual([2500, 5000]);
    clock.advance(2499);
    expect(api.requests).toHaveLength(1);
    clock.advance(1);
    expect(await later).toMatchObject({ position: { offset: 1 } });
    clock.advance(2500);
    expect(await hanging).toMatchObject({ code: 'timeout' });
  });

  it('fails what waited behind it within its own time limit', async () => {
    api.handler = () => 'hang';
    const clock = new ManualClock();
    const realtime = connect({ clock });
    const first = failureOf(realtime.publish(CHANNEL, MESSAGE));
    await expect.poll(() => api.requests.length).toBe(1);
    clock.advance(1000);
    const second = failureOf(realtime.publish(CHANNEL, MESSAGE));
    await expect.poll(() => clock.pending).toEqual([1500, 5000]);
    clock.advance(4000);
    expect(await first).toMatchObject({ code: 'timeout' });
    clock.advance(1000);
    expect(await second).toMatchObject({ code: 'timeout' });
  });
});

it('never shows the key, even where fetch would', async () => {
  for (const apiKey of ['bad\nkey-that-nobody-may-see', ' key-that-nobody-may-see', 'clé-that-nobody-may-see']) {
    const error = await failureOf(connect({ apiKey }).publish(CHANNEL, MESSAGE));
    expect(error.code).toBe('invalid_config');
    expect(inspect(error)).not.toContain('nobody-may-see');
  }
});
