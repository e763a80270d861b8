import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicPem: string;
}

function keyPair(alg: KeyPair['alg'], kid: string): KeyPair {
  const { privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  return { kid, alg, privateKey, publicPem };
}

/** The application's key pairs, made anew in each run. */
export const KEY_PAIRS = { rsa: keyPair('RS256', 'rsa-1'), ec: keyPair('ES256', 'ec-1') } as const;

/** A JSON Web Key Set of both. */
export function jsonWebKeySet(): { keys: object[] } {
  return {
    keys: Object.values(KEY_PAIRS).map(({ kid, alg, privateKey }) => ({
      ...createPublicKey(privateKey).export({ format: 'jwk' }),
      kid,
      alg,
      use: 'sig',
    })),
  };
}
