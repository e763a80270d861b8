/** What a token of the test broker says. Signed by nobody: only the test broker takes it. */
export interface TestTokenClaims {
  /** @default anonymous */
  readonly userId?: string | undefined;
  /** What a connection token joins by itself. */
  readonly channels?: readonly string[] | undefined;
  /** Makes it a subscription token. */
  readonly channel?: string | undefined;
  /** @default one hour */
  readonly ttlSeconds?: number | undefined;
}

/** A token that reads like a JWT, for the memory broker only: unsigned, because that broker remembers which ones it issued. */
export function encodeTestToken(
  { userId = '', channels, channel, ttlSeconds = 3_600 }: TestTokenClaims,
  issuedAtMs: number,
  id: number,
): string {
  const issuedAtSeconds = Math.floor(issuedAtMs / 1_000);
  const claims = {
    sub: userId,
    iat: issuedAtSeconds,
    exp: issuedAtSeconds + ttlSeconds,
    jti: String(id),
    ...(channels && { subs: Object.fromEntries(channels.map((name) => [name, {}])) }),
    ...(channel !== undefined && { channel }),
  };
  return [encode({ alg: 'none' }), encode(claims), 'test'].join('.');
}

function encode(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
