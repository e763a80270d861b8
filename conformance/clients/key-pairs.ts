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

/** Keys that no token may be accepted by, each under its own id, and one whose id is given to another key before. */
export const ODD_KEYS = {
  encryption: { ...publicJwk(KEY_PAIRS.rsa), use: 'enc' },
  useless: { ...publicJwk(KEY_PAIRS.rsa), use: undefined },
  symmetric: { kty: 'oct', k: Buffer.from('a-shared-secret-that-stands-in-the-set').toString('base64url'), use: 'sig' },
  private: { ...KEY_PAIRS.rsa.privateKey.export({ format: 'jwk' }), use: 'sig' },
  otherHash: { ...publicJwk(KEY_PAIRS.rsa), alg: 'RS512', use: 'sig' },
  otherKind: { ...publicJwk(KEY_PAIRS.ec), alg: 'RS256', use: 'sig' },
  unknownAlgorithm: { ...publicJwk(KEY_PAIRS.rsa), alg: 'PS256', use: 'sig' },
  symmetricAlgorithm: { ...publicJwk(KEY_PAIRS.rsa), alg: 'HS256', use: 'sig' },
  tiny: { kty: 'RSA', n: 'Dw', e: 'Aw', use: 'sig' },
} as const;

/** The public key of a pair, as a member of a set. */
export function publicJwk({ privateKey, kid, alg }: KeyPair): object {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

/** A JSON Web Key Set of both, and of the odd ones. */
export function jsonWebKeySet(): { keys: object[] } {
  return {
    keys: [
      ...Object.values(KEY_PAIRS).map(publicJwk),
      ...Object.entries(ODD_KEYS).map(([kid, key]) => ({ ...key, kid })),
      { ...publicJwk(KEY_PAIRS.rsa), kid: 'twice' },
      { ...publicJwk(KEY_PAIRS.ec), kid: 'twice' },
    ],
  };
}
