import { createHmac } from 'node:crypto';

export const API_KEY = 'benchmark-api-key';
export const TOKEN_SECRET = 'benchmark-token-secret';

/** One configuration for every target, under Centrifugo's own names. */
export function targetEnvironment(port: number): Record<string, string> {
  return {
    CENTRIFUGO_HTTP_SERVER_PORT: String(port),
    CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
    CENTRIFUGO_HTTP_API_KEY: API_KEY,
    CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: TOKEN_SECRET,
    CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '100',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
    CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
    CENTRIFUGO_HEALTH_ENABLED: 'true',
    CENTRIFUGO_LOG_LEVEL: 'error',
  };
}

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

/** A connection token for a user with server-side subscriptions. */
export function connectionToken(user: string, channels: readonly string[]): string {
  const claims = {
    sub: user,
    exp: Math.floor(Date.now() / 1000) + 3600,
    subs: Object.fromEntries(channels.map((channel) => [channel, {}])),
  };
  const payload = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${payload}.${createHmac('sha256', TOKEN_SECRET).update(payload).digest('base64url')}`;
}
