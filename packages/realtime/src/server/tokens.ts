import { SignJWT } from 'jose';
import { type ChannelName, Channels, parseChannelName } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import { InvalidArgumentError } from '../core/errors.ts';

/** Centrifugo's default for channels per connection; a token with more ends the connection for good. */
export const MAX_CONNECTION_CHANNELS = 128;

/** How long a connection token lives where nothing else is said: 24 hours. */
export const CONNECTION_TTL_SECONDS = 24 * 60 * 60;
/** How long a grant lives where nothing else is said: 10 minutes. */
export const CHANNEL_TTL_SECONDS = 10 * 60;

/** For a token that says who connects. */
export interface ConnectionTokenRequest {
  /** The user that the connection belongs to. Not empty: Centrifugo lets an empty user in, as anonymous, with all channels of its token. */
  readonly userId: string;
  /**
   * The channels that the connection has from the start, at most 128. They cannot be taken away before the token ends, so list what is part of the identity,
   * or shorten `ttlSeconds`. @default [Channels.global(), Channels.user(userId)]
   */
  readonly channels?: readonly ChannelName[];
  /** @default 86400 (24 hours) */
  readonly ttlSeconds?: number;
  /** Shown to others in presence and with publications of this client. */
  readonly info?: unknown;
  /** Seen only by the broker and its proxies. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** For a token that lets one user join one channel. */
export interface ChannelTokenRequest {
  /** The user whose connection may join; must be the one of the connection token. */
  readonly userId: string;
  /** The only channel that the token is good for. */
  readonly channel: ChannelName;
  /** How long a membership that has ended can still be used by a hostile client. @default 600 (10 minutes) */
  readonly ttlSeconds?: number;
  /** Shown to others in presence of this channel. */
  readonly info?: unknown;
}

/** The same for several channels of one user. */
export interface ChannelTokensRequest extends Omit<ChannelTokenRequest, 'channel'> {
  /** Each gets a token of its own; one that is given twice counts once. */
  readonly channels: readonly ChannelName[];
}

/** A permission for one channel: what `RealtimeManager.addGrant` takes. */
export interface IssuedGrant {
  /** The only channel that the token is good for. */
  readonly channel: ChannelName;
  /** A subscription token (JWT). */
  readonly token: string;
}

interface TokenSignerOptions {
  /** Centrifugo's `CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY`. */
  readonly secret: string;
  readonly audience?: string | undefined;
  readonly issuer?: string | undefined;
  readonly clock: Clock;
}

/** Signs tokens with HS256. Claims: https://centrifugal.dev/docs/server/authentication and …/channel_token_auth */
export class TokenSigner {
  readonly #options: TokenSignerOptions;
  #key: Promise<CryptoKey> | undefined;

  constructor(options: TokenSignerOptions) {
    this.#options = options;
  }

  /** @throws InvalidArgumentError, InvalidChannelError */
  async connectionToken(request: ConnectionTokenRequest): Promise<string> {
    const { userId, ttlSeconds = CONNECTION_TTL_SECONDS, info, meta } = request;
    assertUserId(userId);
    const channels = new Set((request.channels ?? [Channels.global(), Channels.user(userId)]).map(parseChannelName));
    if (channels.size > MAX_CONNECTION_CHANNELS)
      throw new InvalidArgumentError(
        `A connection token carries at most ${MAX_CONNECTION_CHANNELS} channels, got ${channels.size}. Grant the others with createChannelTokens().`,
      );
    const subs = Object.fromEntries(Array.from(channels, (channel) => [channel, {}]));
    return this.#sign(userId, ttlSeconds, { subs, ...(info !== undefined && { info }), ...(meta && { meta }) });
  }

  /** @throws InvalidArgumentError, InvalidChannelError */
  async channelToken({
    userId,
    channel,
    ttlSeconds = CHANNEL_TTL_SECONDS,
    info,
  }: ChannelTokenRequest): Promise<string> {
    assertUserId(userId);
    return this.#sign(userId, ttlSeconds, {
      channel: parseChannelName(channel),
      ...(info !== undefined && { info }),
    });
  }

  async #sign(userId: string, ttlSeconds: number, claims: Record<string, unknown>): Promise<string> {
    if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds <= 0)
      throw new InvalidArgumentError(`ttlSeconds must be a whole number above 0, got ${ttlSeconds}.`);
    const { audience, issuer, clock } = this.#options;
    const issuedAtSeconds = Math.floor(clock.now() / 1000);
    const jwt = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(userId)
      .setIssuedAt(issuedAtSeconds)
      .setExpirationTime(issuedAtSeconds + ttlSeconds);
    if (audience !== undefined) jwt.setAudience(audience);
    if (issuer !== undefined) jwt.setIssuer(issuer);
    this.#key ??= importKey(this.#options.secret);
    return jwt.sign(await this.#key);
  }
}

/** Importing once makes signing twice as fast as handing over the bytes each time. */
function importKey(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

function assertUserId(userId: unknown): asserts userId is string {
  if (typeof userId === 'string' && userId !== '') return;
  throw new InvalidArgumentError(
    `userId must be a string that is not empty, got ${userId === '' ? 'an empty one' : typeof userId}.`,
  );
}
