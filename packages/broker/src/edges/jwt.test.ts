import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SECRET, signToken } from '../../test/tokens.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { BrokerConfigError } from '../core/errors.ts';
import { readConnectToken, readSubscribeToken } from '../core/token-claims.ts';
import { resolveTokenOptions, type TokenOptions } from '../core/token-options.ts';
import { createTokenVerifier, skippingVerifier } from './jwt.ts';
import { KeySet } from './key-set.ts';

const clock = new VirtualClock();
const CLAIMS = { sub: 'u1' };
const verifierOf = (options: TokenOptions, subscription?: TokenOptions) =>
  createTokenVerifier(options, subscription, clock);
const accepts = (options: TokenOptions, token: string) => verifierOf(options).verify('connection', token) !== undefined;

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function signAsymmetric(alg: string, hash: string, key: KeyObject): string {
  const signed = `${encode({ alg })}.${encode(CLAIMS)}`;
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

describe('signatures', () => {
  it.each([
    ['of the key', signToken(CLAIMS), true],
    ['of another key', signToken(CLAIMS, 'other'), false],
    [
      'with one character changed',
      signToken(CLAIMS)
        .replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
        .replace(/..$/, '__'),
      false,
    ],
    ['none at all', signToken(CLAIMS).replace(/[^.]*$/, ''), false],
    ['alg none', `${encode({ alg: 'none' })}.${encode(CLAIMS)}.`, false],
    ['alg None', signToken(CLAIMS, SECRET, { alg: 'None' }), false],
    ['no alg', `${encode({ typ: 'JWT' })}.${encode(CLAIMS)}.AAAA`, false],
    ['a header that is no object', `${encode('eyJ')}.${encode(CLAIMS)}.AAAA`, false],
    ['two parts', 'eyJh.eyJh', false],
    ['nothing', '', false],
    ['padding', `${signToken(CLAIMS)}=`, false],
    ['standard base64', signToken(CLAIMS).replace('.', '.+/'), false],
  ])('%s', (_name, token, expected) => expect(accepts({ hmacSecretKey: SECRET }, token)).toBe(expected));

  it('of nobody where there is no key', () => {
    expect(accepts({}, signToken(CLAIMS))).toBe(false);
    expect(accepts({ hmacSecretKey: '' }, signToken(CLAIMS, ''))).toBe(false);
  });

  it('of the previous key are accepted until its time is up', () => {
    const now = Math.floor(clock.now() / 1000);
    const token = signToken(CLAIMS, 'old');
    const rotated = { hmacSecretKey: SECRET, hmacPreviousSecretKey: 'old' };
    expect(accepts(rotated, token)).toBe(true);
    expect(accepts(rotated, signToken(CLAIMS))).toBe(true);
    expect(accepts(rotated, signToken(CLAIMS, 'third'))).toBe(false);
    expect(accepts({ ...rotated, hmacPreviousSecretKeyValidUntil: now }, token)).toBe(true);
    expect(accepts({ ...rotated, hmacPreviousSecretKeyValidUntil: now - 1 }, token)).toBe(false);
  });

  it('of RSA and ECDSA keys are accepted by these keys, and an HMAC made of the public key is not', () => {
    expect(accepts({ rsaPublicKey: pem(rsa.publicKey) }, signAsymmetric('RS256', 'sha256', rsa.privateKey))).toBe(true);
    expect(accepts({ rsaPublicKey: pem(rsa.publicKey) }, signToken(CLAIMS, pem(rsa.publicKey)))).toBe(false);
    expect(accepts({ ecdsaPublicKey: pem(ec.publicKey) }, signAsymmetric('ES256', 'sha256', ec.privateKey))).toBe(true);
    expect(accepts({ ecdsaPublicKey: pem(ec.publicKey) }, signAsymmetric('ES384', 'sha384', ec.privateKey))).toBe(
      false,
    );
    expect(accepts({ hmacSecretKey: SECRET }, signAsymmetric('RS256', 'sha256', rsa.privateKey))).toBe(false);
  });

  it('of subscription tokens can have a key of their own', () => {
    const verifier = verifierOf({ hmacSecretKey: SECRET }, { hmacSecretKey: 'sub' });
    expect(verifier.verify('subscription', signToken(CLAIMS, 'sub'))).toBeDefined();
    expect(verifier.verify('subscription', signToken(CLAIMS))).toBeUndefined();
    expect(verifier.verify('connection', signToken(CLAIMS, 'sub'))).toBeUndefined();
  });

  it('can be left unchecked', () =>
    expect(skippingVerifier.verify('connection', signToken(CLAIMS, 'x'))).toBe('{"sub":"u1"}'));

  it('need keys that are keys', () => {
    expect(() => verifierOf({ rsaPublicKey: 'no pem' })).toThrow(BrokerConfigError);
    expect(() => verifierOf({ rsaPublicKey: pem(ec.publicKey) })).toThrow(BrokerConfigError);
  });
});

describe('audience and issuer', () => {
  const reads = (options: TokenOptions, claims: object) =>
    readConnectToken(
      JSON.stringify({ sub: 'u', ...claims }),
      resolveTokenOptions('client.token', options),
      clock.now(),
    );
  it.each<[TokenOptions, object, boolean]>([
    [{ audience: 'a' }, { aud: 'a' }, true],
    [{ audience: 'a' }, { aud: ['x', 'a'] }, true],
    [{ audience: 'a' }, { aud: 'b' }, false],
    [{ audience: 'a' }, {}, false],
    [{ audienceRegex: '^a+$' }, { aud: ['b', 'aa'] }, true],
    [{ audienceRegex: '^a+$' }, { aud: 'b' }, false],
    [{ issuer: 'i' }, { iss: 'i' }, true],
    [{ issuer: 'i' }, { iss: 'I' }, false],
    [{ issuer: 'i' }, {}, false],
    [{ issuerRegex: '^i' }, { iss: 'ix' }, true],
    [{ issuerRegex: '^i' }, { iss: 'xi' }, false],
    [{ issuerRegex: 'x(?P<n>[0-9]+)' }, { iss: 'x5' }, true],
    [{}, { aud: [5] }, false],
  ])('%j with %j: %s', (options, claims, expected) =>
    expect(typeof reads(options, claims) === 'object').toBe(expected),
  );

  it('hold for subscription tokens too', () => {
    const claims = { sub: 'u', channel: 'a' };
    const options = resolveTokenOptions('client.token', { audience: 'a' });
    expect(readSubscribeToken(JSON.stringify(claims), options, clock.now())).toBe('invalid');
    expect(readSubscribeToken(JSON.stringify({ ...claims, aud: 'a' }), options, clock.now())).toMatchObject({
      user: 'u',
      channel: 'a',
    });
  });

  it('come with a user from any claim', () => {
    expect(reads({ userIdClaim: 'user_id' }, { user_id: 7 })).toMatchObject({ user: '7' });
    expect(reads({ userIdClaim: '__proto__' }, {})).toMatchObject({ user: '' });
    for (const name of ['user.id', 'user-id', 'id2', 'ä', 'id\n'])
      expect(() => reads({ userIdClaim: name }, {})).toThrow(BrokerConfigError);
  });
});

describe('key sets', () => {
  const jwk = (key: KeyObject, members: object) => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...members });
  const KEYS = {
    keys: [
      jwk(rsa.publicKey, { kid: 'r', alg: 'RS256' }),
      jwk(ec.publicKey, { kid: 'e' }),
      { kid: 'odd', use: 'sig', kty: 'no' },
    ],
  };

  it('give keys by their id, fetched once', async () => {
    let fetches = 0;
    const set = new KeySet('https://x/jwks', clock, async () => {
      fetches++;
      return KEYS;
    });
    const found = await Promise.all(['r', 'e', 'r', 'odd', ''].map((id) => set.find(id)));
    expect(found.map((key) => key?.algorithm ?? key?.key.asymmetricKeyType)).toEqual([
      'RS256',
      'ec',
      'RS256',
      undefined,
      undefined,
    ]);
    expect(fetches).toBe(1);
  });

  it('are fetched again for an unknown id, but not for every one, and after an hour', async () => {
    let fetches = 0;
    const time = new VirtualClock();
    const set = new KeySet('https://x/jwks', time, async () => {
      fetches++;
      return KEYS;
    });
    for (let i = 0; i < 10; i++) await set.find(`unknown${i}`);
    expect(fetches).toBe(1);
    time.advance(6_000);
    await set.find('unknown');
    expect(fetches).toBe(2);
    time.advance(3_600_000);
    expect(await set.find('r')).toBeDefined();
    expect(fetches).toBe(3);
  });

  it('that fail are tried twice, and then again at the next token', async () => {
    let fetches = 0;
    const set = new KeySet('https://x/jwks', clock, async () => {
      fetches++;
      if (fetches < 4) throw new TypeError('no network');
      return KEYS;
    });
    expect(await set.find('r')).toBeUndefined();
    expect(fetches).toBe(2);
    expect(await set.find('r')).toBeDefined();
    expect(fetches).toBe(4);
  });

  it.each([
    null,
    [],
    { keys: 1 },
    { keys: [null, 5, {}, { kid: 5 }] },
    { keys: [jwk(rsa.publicKey, { kid: 'r', use: 'enc' })] },
  ])('with odd content have no keys: %j', async (content) => {
    expect(await new KeySet('https://x/jwks', clock, async () => content).find('r')).toBeUndefined();
  });

  it('need an address that is one', () => {
    for (const url of ['x', 'file:///etc/passwd', 'https://{{host}}/jwks', 'https://x/%zz'])
      expect(() => new KeySet(url, clock)).toThrow(BrokerConfigError);
  });
});
