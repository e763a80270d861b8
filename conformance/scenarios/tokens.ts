import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'vitest';
import { rawToken } from '../clients/tokens.ts';
import type { Close, Message } from '../clients/wire-client.ts';
import { SECRETS } from '../environments.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

const invalid: Close = { code: 3500, reason: 'invalid token' };

/** What becomes of a connect with this token: the reply, or how the server closes. */
async function outcome(t: ScenarioContext, token: string): Promise<Message | Close> {
  const wire = await t.open();
  wire.send({ id: 1, connect: { token } });
  return Promise.race([wire.reply(1).catch(() => wire.closed), wire.closed]);
}

const connected = { connect: expect.objectContaining({ client: expect.any(String) }) };

/** A token signed by hand: the header is whatever is asked for, the signature is HMAC over it. */
function handSigned(header: object, claims: object, hash = 'sha256', secret: string = SECRETS.token): string {
  const unsigned = rawToken(header, claims).slice(0, -1);
  return `${unsigned}.${createHmac(hash, secret).update(unsigned).digest('base64url')}`;
}

function withKeyPair(alg: string, claims: object): string {
  const unsigned = rawToken({ alg, typ: 'JWT' }, claims).slice(0, -1);
  const { privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return `${unsigned}.${sign('sha256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
}

export const tokenScenarios: readonly Scenario[] = scenarios('tokens', 'standard', {
  'HS384 and HS512 are accepted with the same key': async (t) => {
    for (const alg of ['HS384', 'HS512'] as const)
      expect(await outcome(t, await t.token({ sub: t.user() }, { alg })), alg).toEqual(connected);
  },
  'alg none is refused, signed or not': async (t) => {
    const claims = { sub: t.user() };
    expect(await outcome(t, rawToken({ alg: 'none', typ: 'JWT' }, claims))).toEqual(invalid);
    expect(await outcome(t, rawToken({ alg: 'none', typ: 'JWT' }, claims, 'x'))).toEqual(invalid);
    expect(await outcome(t, handSigned({ alg: 'none', typ: 'JWT' }, claims))).toEqual(invalid);
  },
  'the name of the algorithm is case-sensitive': async (t) => {
    expect(await outcome(t, handSigned({ alg: 'hs256', typ: 'JWT' }, { sub: t.user() }))).toEqual(invalid);
  },
  'the algorithm of the header must be the one of the signature': async (t) => {
    expect(await outcome(t, handSigned({ alg: 'HS512', typ: 'JWT' }, { sub: t.user() }, 'sha256'))).toEqual(invalid);
  },
  'a header that names RS256 or ES256 does not make the HMAC key serve it': async (t) => {
    for (const alg of ['RS256', 'ES256', 'PS256', 'EdDSA'])
      expect(await outcome(t, handSigned({ alg, typ: 'JWT' }, { sub: t.user() })), alg).toEqual(invalid);
  },
  "a token of a stranger's key pair is refused": async (t) => {
    for (const alg of ['RS256', 'ES256'])
      expect(await outcome(t, withKeyPair(alg, { sub: t.user() })), alg).toEqual(invalid);
  },
  'typ is not needed, and kid does not matter': async (t) => {
    expect(await outcome(t, handSigned({ alg: 'HS256' }, { sub: t.user() }))).toEqual(connected);
    expect(await outcome(t, handSigned({ alg: 'HS256', kid: 'x' }, { sub: t.user() }))).toEqual(connected);
  },
  'claims that are no object are refused': async (t) => {
    for (const claims of [[], 'x', 5])
      expect(await outcome(t, handSigned({ alg: 'HS256', typ: 'JWT' }, claims as object)), String(claims)).toEqual(
        invalid,
      );
  },
  'an empty signature is refused': async (t) => {
    expect(await outcome(t, rawToken({ alg: 'HS256', typ: 'JWT' }, { sub: t.user() }))).toEqual(invalid);
  },
  'a changed claim is refused': async (t) => {
    const [header, , signature] = (await t.token({ sub: t.user() })).split('.');
    const claims = Buffer.from(JSON.stringify({ sub: t.user('other') })).toString('base64url');
    expect(await outcome(t, `${header}.${claims}.${signature}`)).toEqual(invalid);
  },
  'a key that only begins alike is another': async (t) => {
    const secret = SECRETS.token.slice(0, -1);
    expect(await outcome(t, await t.token({ sub: t.user() }, { secret }))).toEqual(invalid);
  },
  'prototype keys among the claims do no harm': async (t) => {
    const token = handSigned(
      { alg: 'HS256' },
      JSON.parse(`{"sub":"${t.user()}","__proto__":{"subs":{"closed:x":{}}}}`),
    );
    const reply = await outcome(t, token);
    expect(reply).toEqual(connected);
    expect(reply).not.toHaveProperty('connect.subs');
  },
});
