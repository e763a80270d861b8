import { describe, expect, it } from 'vitest';
import { readTokenClaims } from './token-claims.ts';

const token = (payload: unknown) =>
  `h.${Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)).toString('base64url')}.s`;

describe('the claims of a token', () => {
  it.each([
    ['subs', { sub: '1', subs: { 'trpc:a': {}, 'trpc:b': {} } }, ['trpc:a', 'trpc:b']],
    ['channels', { sub: '1', channels: ['trpc:a', 7, null] }, ['trpc:a']],
    ['both: subs wins, as in the broker', { subs: { 'trpc:a': {} }, channels: ['trpc:b'] }, ['trpc:a']],
    ['an empty subs: channels count', { subs: {}, channels: ['trpc:b'] }, ['trpc:b']],
    ['neither', { sub: '1' }, []],
    ['subs of another form', { subs: ['trpc:a'], channels: 'trpc:b' }, []],
  ])('list channels by %s', (_name, payload, expected) => {
    expect([...(readTokenClaims(token(payload))?.channels ?? ['none'])]).toEqual(expected);
  });

  it('are read with everything else, also outside of ASCII', () => {
    expect(readTokenClaims(token({ sub: 'Jürgen 🦊', channel: 'trpc:org:1', exp: 20, iat: 10 }))).toMatchObject({
      userId: 'Jürgen 🦊',
      channel: 'trpc:org:1',
      expiresAtSeconds: 20,
      issuedAtSeconds: 10,
    });
  });

  it('of a wrong type are as if absent', () => {
    expect(readTokenClaims(token({ sub: 7, channel: {}, exp: '20', iat: null }))).toMatchObject({
      userId: '',
      channel: null,
      expiresAtSeconds: null,
      issuedAtSeconds: null,
    });
  });

  it.each(['', 'hello', 'a.b', 'a..c', 'a.!!!.c', token('not json'), token('[1]'), token('null'), token('"x"')])(
    'are none for what is no JWT: %j',
    (text) => {
      expect(readTokenClaims(text)).toBeNull();
    },
  );
});
