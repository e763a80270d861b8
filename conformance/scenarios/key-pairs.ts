import { SignJWT } from 'jose';
import { expect } from 'vitest';
import type { AppAnswer } from '../clients/app.ts';
import { KEY_PAIRS, type KeyPair, ODD_KEYS, publicJwk } from '../clients/key-pairs.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

const sign = (pair: KeyPair, claims: Record<string, unknown>, kid: string | undefined = pair.kid): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: pair.alg, typ: 'JWT', ...(kid && { kid }) }).sign(pair.privateKey);

async function outcome(t: ScenarioContext, token: string): Promise<unknown> {
  const wire = await t.open();
  wire.send({ id: 1, connect: { token } });
  return Promise.race([wire.reply(1).catch(() => wire.closed), wire.closed]);
}

const connected = { connect: expect.objectContaining({ client: expect.any(String) }) };
const invalid = { code: 3500, reason: 'invalid token' };

export const keyPairScenarios: readonly Scenario[] = [
  ...scenarios('public keys', 'publickeys', {
    'tokens of RS256 and ES256 connect': async (t) => {
      for (const pair of Object.values(KEY_PAIRS))
        expect(await outcome(t, await sign(pair, { sub: t.user() })), pair.alg).toEqual(connected);
    },
    'the HMAC key counts beside them': async (t) => {
      expect(await outcome(t, await t.token({ sub: t.user() }))).toEqual(connected);
    },
    'the public key is no HMAC key': async (t) => {
      for (const { publicPem } of Object.values(KEY_PAIRS))
        expect(await outcome(t, await t.token({ sub: t.user() }, { secret: publicPem }))).toEqual(invalid);
    },
    'expired tokens of key pairs are error 109': async (t) => {
      expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user(), exp: 1_500_000_000 }))).toEqual({
        error: { code: 109, message: 'token expired' },
      });
    },
    'a subscription token of a key pair is accepted': async (t) => {
      const wire = await t.connect();
      const channel = t.channel('closed');
      const token = await sign(KEY_PAIRS.rsa, { sub: t.user(), channel });
      expect(await wire.call({ subscribe: { channel, token } })).toEqual({ subscribe: {} });
    },
  }),
  ...scenarios('key sets', 'jwks', {
    'tokens of RS256 and ES256 connect by their key id': async (t) => {
      for (const pair of Object.values(KEY_PAIRS))
        expect(await outcome(t, await sign(pair, { sub: t.user() })), pair.alg).toEqual(connected);
    },
    'an unknown key id closes with 3500': async (t) => {
      expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }, 'nobody'))).toEqual(invalid);
    },
    'no key id closes with 3500': async (t) => {
      expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }, ''))).toEqual(invalid);
    },
    'the key id of another pair closes with 3500': async (t) => {
      expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }, KEY_PAIRS.rsa.kid))).toEqual(invalid);
    },
    'keys that are not public signature keys of the algorithm count for nobody': async (t) => {
      for (const kid of Object.keys(ODD_KEYS))
        for (const pair of Object.values(KEY_PAIRS))
          expect(await outcome(t, await sign(pair, { sub: t.user() }, kid)), `${kid} ${pair.alg}`).toEqual(invalid);
    },
    'a symmetric key of the set, and the text of a public one, sign nothing': async (t) => {
      const secret = Buffer.from(ODD_KEYS.symmetric.k, 'base64url').toString();
      for (const [kid, key] of [
        ['symmetric', secret],
        ['symmetricAlgorithm', KEY_PAIRS.rsa.publicPem],
        [KEY_PAIRS.rsa.kid, KEY_PAIRS.rsa.publicPem],
      ] as const) {
        const token = await new SignJWT({ sub: t.user() })
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid })
          .sign(Buffer.from(key));
        expect(await outcome(t, token), kid).toEqual(invalid);
      }
    },
    'of two keys with one id the last one counts': async (t) => {
      expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }, 'twice'))).toEqual(connected);
      expect(await outcome(t, await sign(KEY_PAIRS.rsa, { sub: t.user() }, 'twice'))).toEqual(invalid);
    },
    'the HMAC key does not count beside a key set': async (t) => {
      expect(await outcome(t, await t.token({ sub: t.user() }))).toEqual(invalid);
    },
  }),
  ...scenarios(
    'own key set',
    'ownkeys',
    {
      'one key that cannot be read spoils the set': async (t) => {
        const sets = [
          [publicJwk(KEY_PAIRS.ec), { ...publicJwk(KEY_PAIRS.rsa), kty: 'none' }],
          [publicJwk(KEY_PAIRS.ec)],
        ];
        t.answer(() => ({ json: { keys: sets.length > 1 ? sets.shift() : sets[0] } }));
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(invalid);
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(connected);
      },
      'a key that is taken out of the set still counts after the set was fetched again': async (t) => {
        let keys = [publicJwk(KEY_PAIRS.ec)];
        const requests = t.answer(() => ({ json: { keys } }));
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(connected);
        keys = [publicJwk(KEY_PAIRS.rsa)];
        expect(await outcome(t, await sign(KEY_PAIRS.rsa, { sub: t.user() }))).toEqual(connected);
        expect(requests.length).toBe(2);
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(connected);
        expect(requests.length).toBe(2);
      },
      'a set of two megabytes is read': async (t) => {
        t.answer(() => ({ json: { filling: 'x'.repeat(2 ** 21), keys: [publicJwk(KEY_PAIRS.ec)] } }));
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(connected);
      },
      'every unknown id fetches the set': async (t) => {
        const requests = t.answer(() => ({ json: { keys: [publicJwk(KEY_PAIRS.ec)] } }));
        for (const kid of ['a', 'b', 'a'])
          expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }, kid))).toEqual(invalid);
        expect(requests.length).toBe(3);
      },
      'a set that fails is asked for twice, and again by the next token': async (t) => {
        let left = 3;
        const requests = t.answer(() =>
          left-- > 0 ? { status: 503, text: 'no' } : { json: { keys: [publicJwk(KEY_PAIRS.ec)] } },
        );
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(invalid);
        expect(requests.length).toBe(2);
        expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(connected);
        expect(requests.length).toBe(4);
      },
      'what is no set gives no key': async (t) => {
        const answers: AppAnswer[] = [
          { json: null },
          { json: [] },
          { json: {} },
          { status: 200, text: '{"keys":[' },
          { json: { keys: [] } },
        ];
        t.answer(() => answers[0]!);
        for (; answers.length > 0; answers.shift())
          expect(await outcome(t, await sign(KEY_PAIRS.ec, { sub: t.user() }))).toEqual(invalid);
      },
      'an answer that does not come makes the token invalid after two seconds, and holds up nobody else': async (t) => {
        const requests = t.answer(() => ({ hang: true }));
        const wire = await t.open();
        wire.send({ id: 1, connect: { token: await sign(KEY_PAIRS.ec, { sub: t.user() }) } });
        expect(await wire.closed).toEqual(invalid);
        expect(requests.length).toBe(2);
      },
    },
    { ownServer: true },
  ),
];
