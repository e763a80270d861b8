import { describe, expect, it } from 'vitest';
import type { StatusTransform } from '../core/proxy-options.ts';
import {
  readConnect,
  readPublish,
  readRefresh,
  readReply,
  readRpc,
  readSubRefresh,
  readSubscribe,
} from './proxy-answers.ts';

const INTERNAL = { error: { code: 100, message: 'internal server error', temporary: true } };
const reply = (answer: unknown) =>
  readReply({ body: Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)) }, []);

describe('a status', () => {
  const transforms: StatusTransform[] = [
    { statusCode: 401, toError: { code: 1401, message: 'who?' } },
    { statusCode: 403, toDisconnect: { code: 4501, reason: 'out' } },
  ];
  it.each([
    [401, { error: { code: 1401, message: 'who?' } }],
    [403, { disconnect: { code: 4501, reason: 'out' } }],
    [500, undefined],
    [204, undefined],
  ])('%d may stand for something', (status, expected) => expect(readReply({ status }, transforms)).toEqual(expected));
});

describe('every question', () => {
  const readers = { readConnect, readSubscribe, readPublish, readRpc };
  it.each(Object.entries(readers))('%s: takes an error, a disconnect, and nothing that means nothing', (_, read) => {
    expect(read(undefined)).toEqual(INTERNAL);
    for (const text of ['', 'no json', '[]', '"x"', '{"result":1}', '{"error":{"code":"1"}}', '{"result":{}'])
      expect(read(reply(text)), text).toEqual(INTERNAL);
    expect(read(reply({ error: { code: 1, message: 'no' }, result: {} }))).toEqual({
      error: { code: 1, message: 'no', temporary: false },
    });
    expect(read(reply({ error: { code: 1, message: 'later', temporary: true } }))).toEqual({
      error: { code: 1, message: 'later', temporary: true },
    });
    const disconnect = { code: 4501, reason: 'out' };
    expect(read(reply({ disconnect, error: { code: 1 } }))).toEqual({ disconnect });
    for (const answer of ['{}', 'null', '{"result":null}', '{"__proto__":{"error":{"code":1}}}'])
      expect(read(reply(answer)), answer).toHaveProperty('ok');
  });

  it.each<[string, (answer: ReturnType<typeof reply>) => unknown, object]>([
    ['connect info', readConnect, { b64info: '?' }],
    ['connect data', readConnect, { b64data: '?' }],
    ['connect subs', readConnect, { subs: { a: { b64data: '?' } } }],
    ['subscribe info', readSubscribe, { b64info: '?' }],
    ['publish data', readPublish, { b64data: '?' }],
    ['rpc data', readRpc, { b64data: '?' }],
  ])('base64 that is none is an answer that means nothing: %s', (_, read, result) =>
    expect(read(reply({ result }))).toEqual(INTERNAL),
  );
});

describe('connect', () => {
  it('has channels and subs, which say more; bytes stay as they are', () => {
    const verdict = readConnect(
      reply(
        '{"result":{"user":"ü","expire_at":7,"info":{"a": 1.0},"b64data":"eyJkIjoxfQ==","meta":[ ],"channels":["a","b"],"subs":{"b":{"data":1}}}}',
      ),
    );
    expect(verdict).toEqual({
      ok: {
        user: 'ü',
        expireAt: 7,
        info: '{"a": 1.0}',
        data: '{"d":1}',
        meta: '[ ]',
        grants: new Map([
          ['a', { info: undefined, data: undefined, override: undefined, expireAt: 0 }],
          ['b', { info: undefined, data: '1', override: undefined, expireAt: 0 }],
        ]),
      },
    });
  });

  it('without a result leaves it to the other rules', () => expect(readConnect(reply({}))).toEqual({ ok: undefined }));
});

describe('subscribe', () => {
  it('grants', () =>
    expect(
      readSubscribe(
        reply({ result: { expire_at: 5, info: 1, data: 2, override: { force_recovery: { value: false } } } }),
      ),
    ).toMatchObject({ ok: { expireAt: 5, info: '1', data: '2', override: { force_recovery: { value: false } } } }));
});

describe('publish', () => {
  it.each([
    [{}, { data: undefined, skipsHistory: false }],
    [{ data: null }, { data: 'null' }],
    [{ data: 1, b64data: 'Mg==' }, { data: '1' }],
    [{ b64data: 'Mg==' }, { data: '2' }],
    [{ skip_history: true }, { skipsHistory: true }],
    [{ tags: { __proto__x: 'y' } }, { tags: new Map([['__proto__x', 'y']]) }],
    [
      { idempotency_key: 'k', delta: true, version: 3, version_epoch: 'e' },
      { idempotencyKey: 'k', usesDelta: true, version: 3, versionEpoch: 'e' },
    ],
  ])('takes %j', (result, expected) => expect(readPublish(reply({ result }))).toMatchObject({ ok: expected }));
});

describe.each([
  ['refresh', readRefresh],
  ['sub_refresh', readSubRefresh],
])('%s', (_, read) => {
  it.each<[string, ReturnType<typeof reply>, unknown]>([
    ['a new expiry', reply({ result: { expire_at: 5000, info: 1 } }), { expireAt: 5000, info: '1', meta: undefined }],
    ['an end', reply({ result: { expired: true, expire_at: 5000 } }), 'expired'],
    ['no result', reply({}), 'expired'],
    ['an error', reply({ error: { code: 1 } }), 'expired'],
    ['a disconnect', reply({ disconnect: { code: 4501 } }), 'expired'],
    ['a status that stands for something', { error: { code: 1, message: '' } }, 'expired'],
    ['no answer: a minute more', undefined, { expireAt: 1060 }],
    ['what is no JSON: a minute more', reply('x'), { expireAt: 1060 }],
  ])('takes %s', (_name, answer, expected) => expect(read(answer, 1000)).toEqual(expected));
});

it('refresh alone may change the meta of a connection', () => {
  const answer = reply({ result: { expire_at: 5, meta: { m: 1 } } });
  expect(readRefresh(answer, 0)).toMatchObject({ meta: '{"m":1}' });
  expect(readSubRefresh(answer, 0)).toMatchObject({ meta: undefined });
});
