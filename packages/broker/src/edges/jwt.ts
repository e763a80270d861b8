import {
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { unixSeconds } from '../core/clock.ts';
import { BrokerConfigError } from '../core/errors.ts';
import type { TokenKind, TokenVerifier } from '../core/token-claims.ts';
import type { TokenOptions } from '../core/token-options.ts';
import { KeySet } from './key-set.ts';

const HMAC: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);
const RSA: ReadonlyMap<string, string> = new Map([
  ['RS256', 'sha256'],
  ['RS384', 'sha384'],
  ['RS512', 'sha512'],
]);
/** An ECDSA algorithm belongs to one curve (RFC 7518 §3.4). */
const ECDSA: ReadonlyMap<string, readonly [hash: string, curve: string]> = new Map([
  ['ES256', ['sha256', 'prime256v1']],
  ['ES384', ['sha384', 'secp384r1']],
  ['ES512', ['sha512', 'secp521r1']],
]);

interface Keys {
  readonly hmac: KeyObject | undefined;
  readonly hmacPrevious: KeyObject | undefined;
  readonly hmacPreviousValidUntil: number;
  readonly rsa: KeyObject | undefined;
  readonly ecdsa: KeyObject | undefined;
}

/** Every JSON object that begins with `{"` begins with `eyJ` in base64. */
const COMPACT = /^(eyJ[A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)$/;

/** The parts of a token in compact form; base64url without padding, as RFC 7515 asks. */
function split(
  token: string,
): { readonly head: string; readonly signed: string; readonly body: string; readonly signature: string } | undefined {
  const match = COMPACT.exec(token);
  if (!match) return undefined;
  const [, head = '', body = '', signature = ''] = match;
  if (head.length % 4 === 1 || body.length % 4 === 1 || signature.length % 4 === 1) return undefined;
  return { head, signed: token.slice(0, head.length + 1 + body.length), body, signature };
}

interface Header {
  /** Only exact names count: `none` and lower-case ones are no algorithms. */
  readonly algorithm: string;
  readonly keyId: string;
}

function readHeader(head: string): Header | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString());
    if (typeof header !== 'object' || header === null || !('alg' in header)) return undefined;
    const keyId = 'kid' in header && typeof header.kid === 'string' ? header.kid : '';
    return typeof header.alg === 'string' ? { algorithm: header.alg, keyId } : undefined;
  } catch {
    return undefined;
  }
}

function matchesHmac(hash: string, key: KeyObject | undefined, signed: string, signature: Buffer): boolean {
  if (!key) return false;
  const expected = createHmac(hash, key).update(signed).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}

function makeKeys(options: TokenOptions): Keys {
  const secret = (key: string | undefined) => (key ? createSecretKey(Buffer.from(key)) : undefined);
  return {
    hmac: secret(options.hmacSecretKey),
    hmacPrevious: secret(options.hmacPreviousSecretKey),
    hmacPreviousValidUntil: options.hmacPreviousSecretKeyValidUntil ?? 0,
    rsa: publicKey('rsa_public_key', options.rsaPublicKey, 'rsa'),
    ecdsa: publicKey('ecdsa_public_key', options.ecdsaPublicKey, 'ec'),
  };
}

function publicKey(name: string, pem: string | undefined, type: string): KeyObject | undefined {
  if (!pem) return undefined;
  const body = PEM.exec(pem)?.groups?.body;
  const der = body === undefined ? undefined : Buffer.from(body, 'base64');
  const key = der && (readKey(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ?? certified(der));
  // Said without the key.
  const curve = key?.asymmetricKeyDetails?.namedCurve;
  if (key?.asymmetricKeyType !== type || (curve !== undefined && !CURVES.includes(curve)))
    throw new BrokerConfigError(
      `${name} must be a PEM of such a public key, with its line breaks, or of a certificate.`,
    );
  return key;
}

/** Those of Go's own library. */
const CURVES = ['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1'];

/** The label does not count. A private key, of which OpenSSL would take the public half, is none. */
const PEM = /(?:^|\n)-----BEGIN (?<label>[^\n]*?)-----[ \t\r]*\n(?<body>[A-Za-z0-9+/=\s]*)\n-----END \k<label>-----/;

function certified(der: Buffer): KeyObject | undefined {
  return readKey(() => new X509Certificate(der).publicKey);
}

function readKey(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Checks a signature with a public key. The algorithm must fit the key: its kind and, for ECDSA, its curve. */
function matchesPublicKey(algorithm: string, key: KeyObject, signed: string, signature: Buffer): boolean {
  const data = Buffer.from(signed);
  try {
    return verifies(algorithm, key, data, signature);
  } catch {
    // A key that OpenSSL cannot compute with, such as one of a few bits.
    return false;
  }
}

function verifies(algorithm: string, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  const type = key.asymmetricKeyType;
  const rsa = RSA.get(algorithm);
  if (rsa) return type === 'rsa' && verify(rsa, data, key, signature);
  if (algorithm === 'EdDSA') return type === 'ed25519' && verify(null, data, key, signature);
  const [hash, curve] = ECDSA.get(algorithm) ?? [];
  if (!hash || type !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== curve) return false;
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function isSigned(keys: Keys, algorithm: string, signed: string, signature: Buffer, clock: Clock): boolean {
  const hmac = HMAC.get(algorithm);
  if (hmac) {
    if (matchesHmac(hmac, keys.hmac, signed, signature)) return true;
    const until = keys.hmacPreviousValidUntil;
    return (until === 0 || unixSeconds(clock) <= until) && matchesHmac(hmac, keys.hmacPrevious, signed, signature);
  }
  const key = RSA.has(algorithm) ? keys.rsa : ECDSA.has(algorithm) ? keys.ecdsa : undefined;
  return key !== undefined && matchesPublicKey(algorithm, key, signed, signature);
}

/** Checks the tokens of one kind. A key set excludes all other keys. */
function createCheck(options: TokenOptions, clock: Clock): (token: string) => ReturnType<TokenVerifier['verify']> {
  const keySet = options.jwksPublicEndpoint ? new KeySet(options.jwksPublicEndpoint, clock) : undefined;
  const keys = makeKeys(options);
  // Tokens of one issuer all have the same header, so the last one is remembered.
  let lastHead = '';
  let header: Header | undefined;
  return (token) => {
    const parts = split(token);
    if (!parts) return undefined;
    if (parts.head !== lastHead) {
      header = readHeader(parts.head);
      lastHead = parts.head;
    }
    if (!header) return undefined;
    const { algorithm, keyId } = header;
    const signature = Buffer.from(parts.signature, 'base64url');
    const claims = () => Buffer.from(parts.body, 'base64url').toString('latin1');
    if (!keySet) return isSigned(keys, algorithm, parts.signed, signature, clock) ? claims() : undefined;
    return keySet.find(keyId).then((found) => {
      if (!found || (found.algorithm ?? algorithm) !== algorithm) return undefined;
      return matchesPublicKey(algorithm, found.key, parts.signed, signature) ? claims() : undefined;
    });
  };
}

/** Checks signatures. HMAC by `createHmac` with a `KeyObject` takes 5 µs where a general JWT library takes 25 to 140. */
export function createTokenVerifier(
  connection: TokenOptions,
  subscription: TokenOptions | undefined,
  clock: Clock,
): TokenVerifier {
  const checkConnection = createCheck(connection, clock);
  const checkSubscription = subscription ? createCheck(subscription, clock) : checkConnection;
  return {
    verify: (kind: TokenKind, token: string) =>
      kind === 'connection' ? checkConnection(token) : checkSubscription(token),
  };
}

/** Accepts any signature; for `insecureSkipTokenSignatureVerify`. */
export const skippingVerifier: TokenVerifier = {
  verify(_kind, token) {
    const parts = split(token);
    return parts && Buffer.from(parts.body, 'base64url').toString('latin1');
  },
};
