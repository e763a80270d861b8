import { isRecord } from '../core/is-record.ts';

/** What the client reads of a token, without verifying it: that is the broker's work. */
export interface TokenClaims {
  /** `sub`; `''` for an anonymous connection. */
  readonly userId: string;
  /** `channel` of a subscription token. */
  readonly channel: string | null;
  /** The channels that a connection token joins by itself. */
  readonly channels: ReadonlySet<string>;
  readonly expiresAtSeconds: number | null;
  readonly issuedAtSeconds: number | null;
}

/**
 * Reads the claims of a JWT. `null` for anything else: a token may be opaque, and then only the broker knows what it says.
 * `channels` counts only where `subs` is empty, as in Centrifugo.
 */
export function readTokenClaims(token: string): TokenClaims | null {
  const claims = readPayload(token);
  if (!claims) return null;
  const { sub, channel, subs, channels, exp, iat } = claims;
  const names = isRecord(subs) ? Object.keys(subs) : [];
  const listed = Array.isArray(channels) ? channels.filter((name) => typeof name === 'string') : [];
  return {
    userId: typeof sub === 'string' ? sub : '',
    channel: typeof channel === 'string' ? channel : null,
    channels: new Set(names.length ? names : listed),
    expiresAtSeconds: typeof exp === 'number' ? exp : null,
    issuedAtSeconds: typeof iat === 'number' ? iat : null,
  };
}

function readPayload(token: string): Record<string, unknown> | null {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts[1]) return null;
  try {
    const bytes = Uint8Array.from(atob(parts[1].replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    const payload: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(payload) ? payload : null;
  } catch {
    return null; // neither base64url nor JSON: an opaque token
  }
}
