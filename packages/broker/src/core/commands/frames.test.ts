import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../test/engine-harness.ts';
import { signToken } from '../../../test/tokens.ts';

/** Every expectation in this file was seen on Centrifugo 6.9.1. */

const EXP = 1_700_003_600;
const BAD_REQUEST = { close: [3501, 'bad request'] };
const INVALID_TOKEN = { close: [3500, 'invalid token'] };
const error = (id: number, code: number, message: string) => ({
  reply: `{"id":${id},"error":{"code":${code},"message":"${message}"}}`,
});
const connected = (rest = '') => ({
  reply: `{"id":1,"connect":{"client":"client-2","version":"6.9.1 OSS",${rest}"ping":25,"pong":true}}`,
});
const connect = (claims: unknown, secret?: string, header?: object) =>
  `{"id":1,"connect":{"token":"${signToken(claims, secret, { ...header })}"}}`;

function outcome(client: ReturnType<ReturnType<typeof createEngine>['open']>, frame: string) {
  const replies = client.send(frame);
  const { closed } = client.peer;
  return {
    ...(replies.length > 0 ? { reply: replies.join('\n') } : {}),
    ...(closed ? { close: [closed.code, closed.reason] } : {}),
  };
}

describe('the first frame', () => {
  it.each<[string, string, object]>([
    ['a pong', '{}', BAD_REQUEST],
    ['nothing', '', BAD_REQUEST],
    ['a blank line', '\n', BAD_REQUEST],
    ['an id alone', '{"id":1}', BAD_REQUEST],
    ['no token', '{"id":1,"connect":{}}', BAD_REQUEST],
    ['id 0', `{"id":0,"connect":{"token":"${signToken({ sub: 'u1' })}"}}`, BAD_REQUEST],
    ['no id', `{"connect":{"token":"${signToken({ sub: 'u1' })}"}}`, BAD_REQUEST],
    ['another command', '{"id":1,"subscribe":{"channel":"open:1"}}', BAD_REQUEST],
    ['no JSON', 'nonsense', BAD_REQUEST],
    ['a text as id', '{"id":"1","connect":{}}', BAD_REQUEST],
    ['connect null', '{"id":1,"connect":null}', BAD_REQUEST],
    ['an array', '[]', BAD_REQUEST],
    ['null', 'null', BAD_REQUEST],
    ['a negative id', connect({ sub: 'u1' }).replace('"id":1', '"id":-1'), BAD_REQUEST],
    ['an id over 32 bits', connect({ sub: 'u1' }).replace('"id":1', '"id":4294967296'), BAD_REQUEST],
    ['a fraction as id', connect({ sub: 'u1' }).replace('"id":1', '"id":1.5'), BAD_REQUEST],
    ['a token that is none', '{"id":1,"connect":{"token":"bad"}}', INVALID_TOKEN],
    ['an expired token', connect({ sub: 'u', exp: 1 }), error(1, 109, 'token expired')],
    ['an expired token of another key: the signature wins', connect({ sub: 'u', exp: 1 }, 'wrong'), INVALID_TOKEN],
    ['a token not valid yet', connect({ sub: 'u', nbf: EXP }), error(1, 109, 'token expired')],
    ['a number as sub', connect({ sub: 5 }), INVALID_TOKEN],
    ['no sub: anonymous', connect({}), connected()],
    ['null as sub', connect({ sub: null }), connected()],
    ['a subscription token', connect({ sub: 'u', channel: 'x' }), INVALID_TOKEN],
    ['expire_at 0: never', connect({ sub: 'u', expire_at: 0, exp: EXP }), connected()],
    ['expire_at in the past', connect({ sub: 'u', expire_at: 5 }), error(1, 110, 'expired')],
    ['exp', connect({ sub: 'u', exp: EXP }), connected('"expires":true,"ttl":3600,')],
    ['exp as text', connect({ sub: 'u', exp: `${EXP}` }), connected('"expires":true,"ttl":3600,')],
    ['exp with a fraction', connect({ sub: 'u', exp: EXP + 0.5 }), connected('"expires":true,"ttl":3600,')],
    ['exp null', connect({ sub: 'u', exp: null }), connected()],
    ['HS384', connect({ sub: 'u' }, undefined, { alg: 'HS384' }), connected()],
    ['HS512', connect({ sub: 'u' }, undefined, { alg: 'HS512' }), connected()],
    ['alg none', connect({ sub: 'u' }, undefined, { alg: 'none' }), INVALID_TOKEN],
    ['alg in lower case', connect({ sub: 'u' }, undefined, { alg: 'hs256' }), INVALID_TOKEN],
    ['RS256 in the header of an HMAC token', connect({ sub: 'u' }, undefined, { alg: 'RS256' }), INVALID_TOKEN],
    ['a padded signature', connect({ sub: 'u' }).replace('"}}', '="}}'), INVALID_TOKEN],
    ['a number as aud', connect({ sub: 'u', aud: 5 }), INVALID_TOKEN],
    ['a list as subs', connect({ sub: 'u', subs: [] }), INVALID_TOKEN],
    ['a text as channels', connect({ sub: 'u', subs: {}, channels: 'x' }), INVALID_TOKEN],
    ['any JSON as info and meta', connect({ sub: 'u', info: 5, meta: 'x' }), connected()],
    [
      'a channel of an unknown namespace in subs',
      connect({ sub: 'u', subs: { 'no:1': {} } }),
      error(1, 102, 'unknown channel'),
    ],
    ['the empty channel in subs', connect({ sub: 'u', subs: { '': {} } }), connected()],
    [
      'channels',
      connect({ sub: 'u', channels: ['open:1'] }),
      connected('"subs":{"open:1":{"recoverable":true,"epoch":"epoch001","positioned":true}},'),
    ],
    [
      'subs with data; channels beside it do not count',
      connect({ sub: 'u', subs: { 'trpc:x': { data: { q: 1 } } }, channels: ['open:1'] }),
      connected('"subs":{"trpc:x":{"recoverable":true,"epoch":"epoch001","positioned":true,"data":{"q":1}}},'),
    ],
    [
      'a wish for a channel that is open to all',
      connect({ sub: 'u' }).replace(
        '"}}',
        '","subs":{"open:5":{"recover":true}},"data":{"a":1},"headers":{"a":"b"},"name":"x"}}',
      ),
      connected(
        '"subs":{"open:5":{"recoverable":true,"epoch":"epoch001","recovered":true,"positioned":true,"was_recovering":true}},',
      ),
    ],
    [
      'a wish for a closed channel: not heard',
      connect({ sub: 'u' }).replace('"}}', '","subs":{"trpc:5":{}}}}'),
      connected(),
    ],
    ['a wish for an unknown namespace', connect({ sub: 'u' }).replace('"}}', '","subs":{"no:5":{}}}}'), BAD_REQUEST],
  ])('%s', (_name, frame, expected) => {
    const { open } = createEngine();
    expect(outcome(open(), frame)).toEqual(expected);
  });
});

describe('a frame of a connected client', () => {
  const open1 = '"recoverable":true,"epoch":"epoch001","positioned":true';
  it.each<[string, string, object]>([
    ['a pong that nobody asked for', '{}', BAD_REQUEST],
    ['nothing', '', BAD_REQUEST],
    ['a blank line', '\n', BAD_REQUEST],
    ['a second connect', connect({ sub: 'u1' }), BAD_REQUEST],
    ['an unknown command', '{"id":2,"bogus":{}}', BAD_REQUEST],
    ['ping', '{"id":2,"ping":{}}', BAD_REQUEST],
    ['no command', '{"id":2}', BAD_REQUEST],
    ['a command with id 0', '{"id":0,"history":{}}', BAD_REQUEST],
    ['subscribe without a channel', '{"id":2,"subscribe":{}}', BAD_REQUEST],
    ['history without a channel', '{"id":2,"history":{}}', BAD_REQUEST],
    ['publish without a channel', '{"id":2,"publish":{}}', BAD_REQUEST],
    ['presence without a channel', '{"id":2,"presence":{}}', BAD_REQUEST],
    ['presence_stats without a channel', '{"id":2,"presence_stats":{}}', BAD_REQUEST],
    ['unsubscribe without a channel', '{"id":2,"unsubscribe":{}}', BAD_REQUEST],
    ['sub_refresh without a channel', '{"id":2,"sub_refresh":{}}', BAD_REQUEST],
    ['refresh without a token', '{"id":2,"refresh":{}}', BAD_REQUEST],
    ['send', '{"send":{}}', { close: [3508, 'not available'] }],
    ['send with an id', '{"id":2,"send":{}}', { close: [3508, 'not available'] }],
    ['rpc', '{"id":2,"rpc":{"method":"a:b"}}', error(2, 108, 'not available')],
    ['an unknown delta type', '{"id":2,"subscribe":{"channel":"open:1","delta":"bogus"}}', BAD_REQUEST],
    ['a negative offset', '{"id":2,"subscribe":{"channel":"open:1","offset":-1}}', BAD_REQUEST],
    ['a map subscription', '{"id":2,"subscribe":{"channel":"open:1","type":1}}', error(2, 103, 'permission denied')],
    [
      'a subscription type that is none',
      '{"id":2,"subscribe":{"channel":"open:1","type":9}}',
      { close: [3004, 'internal server error'] },
    ],
    [
      'a tags filter where it is not allowed',
      '{"id":2,"subscribe":{"channel":"open:1","tf":{"op":"x"}}}',
      error(2, 107, 'bad request'),
    ],
    ['flag 1', '{"id":2,"subscribe":{"channel":"open:1","flag":1}}', { reply: `{"id":2,"subscribe":{${open1}}}` }],
    [
      'flag 2: no subscription without recovery',
      '{"id":2,"subscribe":{"channel":"open:1","recover":true,"offset":9,"epoch":"zz","flag":2}}',
      error(2, 112, 'unrecoverable position'),
    ],
    ['a number as channel', '{"id":2,"subscribe":{"channel":5}}', BAD_REQUEST],
    ['null as channel', '{"id":2,"subscribe":{"channel":null}}', BAD_REQUEST],
    ['a text as command', '{"id":2,"subscribe":"x"}', BAD_REQUEST],
    ['a list as command', '{"id":2,"subscribe":[]}', BAD_REQUEST],
    ['null as command', '{"id":2,"subscribe":{"channel":"open:1"},"subscribe":null}', BAD_REQUEST],
    [
      'two commands in one: the first of the fixed order counts',
      '{"id":2,"history":{"channel":"open:1"},"subscribe":{"channel":"open:1"}}',
      { reply: `{"id":2,"subscribe":{${open1}}}` },
    ],
    ['names in any case', '{"ID":2,"Subscribe":{"Channel":"open:1"}}', { reply: `{"id":2,"subscribe":{${open1}}}` }],
    [
      'the last of two equal names',
      '{"id":2,"subscribe":{"channel":"open:1","channel":"plain:1"}}',
      { reply: '{"id":2,"subscribe":{}}' },
    ],
    [
      'prototype keys',
      '{"id":2,"__proto__":{"x":1},"subscribe":{"channel":"open:1","__proto__":{"token":"x"},"constructor":1}}',
      { reply: `{"id":2,"subscribe":{${open1}}}` },
    ],
    ['spaces around', ' {"id":2,"subscribe":{"channel":"open:1"}} ', { reply: `{"id":2,"subscribe":{${open1}}}` }],
    [
      'a trailing line feed',
      '{"id":2,"subscribe":{"channel":"open:1"}}\n',
      { reply: `{"id":2,"subscribe":{${open1}}}` },
    ],
    [
      'lines that end in CRLF',
      '{"id":2,"subscribe":{"channel":"open:1"}}\r\n{"id":3,"subscribe":{"channel":"plain:1"}}\r\n',
      { reply: `{"id":2,"subscribe":{${open1}}}\n{"id":3,"subscribe":{}}` },
    ],
    [
      'a blank line between: what came before is answered',
      '{"id":2,"subscribe":{"channel":"open:1"}}\n\n{"id":3,"subscribe":{"channel":"plain:1"}}',
      { reply: `{"id":2,"subscribe":{${open1}}}`, ...BAD_REQUEST },
    ],
    [
      'a line that is no JSON: what came before is answered',
      '{"id":2,"subscribe":{"channel":"open:1"}}\nbad',
      { reply: `{"id":2,"subscribe":{${open1}}}`, ...BAD_REQUEST },
    ],
    [
      'two commands in one line: only the first is seen',
      '{"id":2,"subscribe":{"channel":"open:1"}}{"id":3,"subscribe":{"channel":"plain:1"}}',
      { reply: `{"id":2,"subscribe":{${open1}}}` },
    ],
    ['a channel of 256 bytes', `{"id":2,"subscribe":{"channel":"${'o'.repeat(256)}"}}`, error(2, 107, 'bad request')],
    [
      'a channel of 255 bytes',
      `{"id":2,"subscribe":{"channel":"${'o'.repeat(255)}"}}`,
      error(2, 103, 'permission denied'),
    ],
    ['a channel that is not ASCII', '{"id":2,"subscribe":{"channel":"open:é"}}', error(2, 107, 'bad request')],
    ['a private channel without a token', '{"id":2,"subscribe":{"channel":"$x"}}', error(2, 103, 'permission denied')],
    ['the empty namespace', '{"id":2,"subscribe":{"channel":":"}}', error(2, 103, 'permission denied')],
    ['an unknown namespace', '{"id":2,"subscribe":{"channel":"no:1"}}', error(2, 102, 'unknown channel')],
    [
      'the largest id',
      '{"id":4294967295,"subscribe":{"channel":"plain:1"}}',
      { reply: '{"id":4294967295,"subscribe":{}}' },
    ],
    [
      'unsubscribe where it is not subscribed',
      '{"id":2,"unsubscribe":{"channel":"nope"}}',
      { reply: '{"id":2,"unsubscribe":{}}' },
    ],
    [
      'recover where there is no history',
      '{"id":2,"subscribe":{"channel":"plain:1","recover":true,"offset":1,"epoch":"zz"}}',
      { reply: '{"id":2,"subscribe":{"was_recovering":true}}' },
    ],
    [
      'wishes that are not granted',
      '{"id":2,"subscribe":{"channel":"plain:1","positioned":true,"recoverable":true,"join_leave":true}}',
      { reply: '{"id":2,"subscribe":{}}' },
    ],
    [
      'publish without permission',
      '{"id":2,"publish":{"channel":"plain:1","data":{}}}',
      error(2, 103, 'permission denied'),
    ],
    ['publish without data', '{"id":2,"publish":{"channel":"open:1"}}', error(2, 107, 'bad request')],
    [
      'publish to a map',
      '{"id":2,"publish":{"channel":"open:1","data":1,"type":1}}',
      error(2, 103, 'permission denied'),
    ],
    ['presence where it is off', '{"id":2,"presence":{"channel":"open:1"}}', error(2, 108, 'not available')],
    ['history where it is off', '{"id":2,"history":{"channel":"plain:1"}}', error(2, 108, 'not available')],
    ['history without permission', '{"id":2,"history":{"channel":"trpc:1"}}', error(2, 103, 'permission denied')],
    [
      'history of an unused channel',
      '{"id":2,"history":{"channel":"open:1"}}',
      { reply: '{"id":2,"history":{"publications":[],"epoch":"epoch001","offset":0}}' },
    ],
    [
      'history of another epoch',
      '{"id":2,"history":{"channel":"open:1","limit":-1,"since":{"offset":0,"epoch":"zz"}}}',
      error(2, 112, 'unrecoverable position'),
    ],
    [
      'history before the beginning',
      '{"id":2,"history":{"channel":"open:1","limit":-1,"since":{"offset":0},"reverse":true}}',
      error(2, 107, 'bad request'),
    ],
  ])('%s', (_name, frame, expected) => {
    const { connect: connectClient } = createEngine();
    expect(outcome(connectClient(), frame)).toEqual(expected);
  });

  const subscribe = (token: string, channel = 'trpc:a') =>
    `{"id":2,"subscribe":{"channel":"${channel}","token":"${token}"}}`;
  const grant = (claims: object) => signToken({ sub: 'u1', channel: 'trpc:a', ...claims });
  const granted = (rest = '') => ({
    reply: `{"id":2,"subscribe":{${rest}"recoverable":true,"epoch":"epoch001","positioned":true}}`,
  });
  it.each<[string, string, object]>([
    ['a good one', subscribe(grant({})), granted()],
    ['one that expires', subscribe(grant({ exp: EXP })), granted('"expires":true,"ttl":3600,')],
    ['one with expire_at 0: never', subscribe(grant({ exp: EXP, expire_at: 0 })), granted()],
    ['one that is none', subscribe('bad'), error(2, 103, 'permission denied')],
    [
      'one of another key',
      subscribe(signToken({ sub: 'u1', channel: 'trpc:a' }, 'wrong')),
      error(2, 103, 'permission denied'),
    ],
    ['a connection token', subscribe(signToken({ sub: 'u1' })), error(2, 103, 'permission denied')],
    ['one for another channel', subscribe(grant({ channel: 'trpc:b' })), INVALID_TOKEN],
    ['one for another user', subscribe(grant({ sub: 'u2' })), INVALID_TOKEN],
    ['one for another connection', subscribe(grant({ client: 'zz' })), INVALID_TOKEN],
    ['one for this connection', subscribe(grant({ client: 'client-2' })), granted()],
    ['an expired one', subscribe(grant({ exp: 1 })), error(2, 109, 'token expired')],
    ['one with expire_at in the past', subscribe(grant({ expire_at: 1 })), error(2, 110, 'expired')],
    ['any, for an unknown namespace', subscribe('x', 'no:a'), error(2, 102, 'unknown channel')],
    ['a good one for a private channel', subscribe(signToken({ sub: 'u1', channel: '$trpc:a' }), '$trpc:a'), granted()],
  ])('with a subscription token: %s', (_name, frame, expected) => {
    const { connect: connectClient } = createEngine();
    expect(outcome(connectClient(), frame)).toEqual(expected);
  });

  const refresh = (claims: object) => `{"id":2,"refresh":{"token":"${signToken({ sub: 'u1', ...claims })}"}}`;
  it.each<[string, string, object]>([
    ['a good one', refresh({ exp: EXP, info: { z: 1 } }), { reply: '{"id":2,"refresh":{"expires":true,"ttl":3600}}' }],
    ['one that never expires', refresh({}), { reply: '{"id":2,"refresh":{}}' }],
    ['one that is none', '{"id":2,"refresh":{"token":"x"}}', INVALID_TOKEN],
    ['one of another user', refresh({ sub: 'u2' }), INVALID_TOKEN],
    ['an expired one', refresh({ exp: 1 }), { close: [3005, 'connection expired'] }],
    ['one with expire_at in the past', refresh({ expire_at: 1 }), error(2, 110, 'expired')],
    ['one that lists other channels', refresh({ subs: { 'open:1': {} } }), { close: [3010, 'insufficient state'] }],
  ])('with a refresh token: %s', (_name, frame, expected) => {
    const { connect: connectClient } = createEngine();
    expect(outcome(connectClient(), frame)).toEqual(expected);
  });

  it.each<[string, object, object]>([
    ['no token', { channel: 'trpc:a' }, error(3, 107, 'bad request')],
    [
      'a later one',
      { channel: 'trpc:a', token: grant({ exp: EXP + 50 }) },
      { reply: '{"id":3,"sub_refresh":{"expires":true,"ttl":3650}}' },
    ],
    ['one that never expires', { channel: 'trpc:a', token: grant({}) }, { reply: '{"id":3,"sub_refresh":{}}' }],
    ['one with expire_at in the past', { channel: 'trpc:a', token: grant({ expire_at: 1 }) }, error(3, 110, 'expired')],
    ['an expired one', { channel: 'trpc:a', token: grant({ exp: 1 }) }, { reply: '{"id":3,"sub_refresh":{}}' }],
    ['one that is none', { channel: 'trpc:a', token: 'x' }, INVALID_TOKEN],
    ['one of another user', { channel: 'trpc:a', token: grant({ sub: 'u2' }) }, INVALID_TOKEN],
    ['one of another channel', { channel: 'trpc:a', token: grant({ channel: 'trpc:b' }) }, INVALID_TOKEN],
    ['a channel that it is not in', { channel: 'open:1', token: 'x' }, error(3, 103, 'permission denied')],
  ])('with a token to refresh a subscription: %s', (_name, request, expected) => {
    const { connect: connectClient } = createEngine();
    const client = connectClient();
    client.send(subscribe(grant({ exp: EXP })));
    expect(outcome(client, JSON.stringify({ id: 3, sub_refresh: request }))).toEqual(expected);
  });
});
