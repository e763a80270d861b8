import { createHmac } from 'node:crypto';

export const SECRET = 'test-secret';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token signed with HMAC. `alg` only names the algorithm in the header; the signature always uses the hash that fits HS256, HS384 or HS512. */
export function signToken(claims: unknown, secret = SECRET, header: Readonly<Record<string, unknown>> = {}): string {
  const head = { alg: 'HS256', typ: 'JWT', ...header };
  const hash = { HS384: 'sha384', HS512: 'sha512' }[String(head.alg)] ?? 'sha256';
  const signed = `${encode(head)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}
