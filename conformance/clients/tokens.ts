import { SignJWT } from 'jose';
import { SECRETS } from '../environments.ts';

export interface TokenOptions {
  /** @default HS256 */
  readonly alg?: 'HS256' | 'HS384' | 'HS512';
  /** @default the environment's connection token secret */
  readonly secret?: string;
  /** More header parameters, such as `kid`. */
  readonly header?: Record<string, unknown>;
}

/** A signed JWT with exactly these claims; nothing is added. */
export function signToken(claims: Record<string, unknown>, options: TokenOptions = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: options.alg ?? 'HS256', typ: 'JWT', ...options.header })
    .sign(new TextEncoder().encode(options.secret ?? SECRETS.token));
}

/** Unix seconds, `deltaSeconds` from now. */
export function inSeconds(deltaSeconds: number): number {
  return Math.floor(Date.now() / 1000) + deltaSeconds;
}

/** Waits for a moment of the clock, where that moment is what the scenario is about. */
export function untilUnixSeconds(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 - Date.now()));
}

/** A token of hand-written parts, which no library would sign. */
export function rawToken(header: unknown, claims: unknown, signature = ''): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
