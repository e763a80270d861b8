import type { ByteString } from '../protocol/byte-string.ts';
import { decodeJson } from '../protocol/json-message.ts';
import { ChannelGrant, type SubscribeOverride } from '../protocol/proxy-schema.ts';
import { type Decoded, list, map, one } from '../protocol/schema.ts';
import type { TokenSettings } from './token-options.ts';

/** A token whose signature is right, or why there is none. */
export interface TokenVerifier {
  /**
   * Checks form and signature.
   * @returns the claims as JSON bytes, or `undefined` for a token that is malformed or not signed by a known key.
   * A promise where a key must be fetched.
   */
  verify(kind: TokenKind, token: string): ByteString | undefined | Promise<ByteString | undefined>;
}

export type TokenKind = 'connection' | 'subscription';

/** Claims that may have several JSON types are looked at below. */
const registered = {
  sub: one(1, 'string'),
  iss: one(2, 'string'),
  aud: one(3, 'json'),
  exp: one(4, 'json'),
  nbf: one(5, 'json'),
  iat: one(6, 'json'),
  jti: one(7, 'string'),
  // Whole as written, which only its text says.
  expire_at: one(8, 'bytes'),
  channel: one(9, 'string'),
};
const ConnectSchema = {
  ...registered,
  info: one(10, 'bytes'),
  b64info: one(11, 'string'),
  meta: one(12, 'bytes'),
  channels: list(13, 'string'),
  subs: map(14, ChannelGrant),
};
const SubscribeSchema = { ...registered, ...ChannelGrant, client: one(10, 'string') };

/** What may be decided per channel by a token, an API call or the application. */
export interface Grant {
  readonly info: ByteString | undefined;
  readonly data: ByteString | undefined;
  readonly override: Decoded<typeof SubscribeOverride> | undefined;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
}

export interface ConnectToken {
  readonly user: string;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  readonly info: ByteString | undefined;
  readonly meta: ByteString | undefined;
  /** Nothing: data for the client comes from the application. */
  readonly data: undefined;
  readonly grants: ReadonlyMap<string, Grant>;
}

export interface SubscribeToken {
  readonly user: string;
  readonly channel: string;
  /** If set, only this connection may use the token. */
  readonly client: string;
  readonly grant: Grant;
}

/** What is wrong with a token. An expired one can be replaced; an invalid one says that something is configured wrongly or forged. */
export type TokenFault = 'invalid' | 'expired';

/** What stands in a connection token. `unreadable`: all is right but the base64 of its info, which Centrifugo takes as a fault of its own. */
export type ConnectClaims = ConnectToken | 'unreadable';

/** Raw JSON, or its absence: `null` is absence. */
function present(raw: ByteString | undefined): ByteString | undefined {
  return raw === undefined || raw === 'null' ? undefined : raw;
}

/** Seconds from which on Centrifugo's clock overflows: such a date is long past. */
const LAST_SECOND = 2 ** 63;

/** A date claim in seconds: a number or a string of one. `NaN` if it is neither. */
function dateClaim(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number') return Number.NaN;
  return seconds >= LAST_SECOND ? Number.NEGATIVE_INFINITY : seconds;
}

/** The texts of `aud`; `undefined` if it is neither one nor a list of them. */
function audiences(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

type Registered = Pick<Decoded<typeof ConnectSchema>, keyof typeof registered>;

function matches(claims: Registered, options: TokenSettings): boolean {
  const aud = audiences(claims.aud);
  if (aud === undefined) return false;
  if (options.audience && !aud.includes(options.audience)) return false;
  if (options.audiencePattern && !aud.some((item) => options.audiencePattern!.test(item))) return false;
  if (options.issuer && claims.iss !== options.issuer) return false;
  if (options.issuerPattern && !options.issuerPattern.test(claims.iss)) return false;
  return true;
}

function userOf(claims: Registered, text: ByteString, options: TokenSettings): string {
  if (!options.userIdClaim) return claims.sub;
  const members = JSON.parse(Buffer.from(text, 'latin1').toString()) as Record<string, unknown>;
  const value = Object.hasOwn(members, options.userIdClaim) ? members[options.userIdClaim] : null;
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `expire_at` wins over `exp`; 0 or less means never. `undefined` if it is not a whole number. */
function expiry(claims: Registered, exp: number | undefined): number | undefined {
  const text = present(claims.expire_at);
  if (text === undefined) return exp === undefined ? 0 : Math.floor(exp);
  return /^-?\d+$/.test(text) ? Math.max(Number(text), 0) : undefined;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes given as base64 (which wins, and may hold line breaks) or as JSON. `undefined` fault if the base64 is none. */
export function bytesOf(
  raw: ByteString | undefined,
  base64: string,
): { readonly bytes: ByteString | undefined } | undefined {
  if (base64 === '') return { bytes: raw };
  return BASE64.test(base64.replace(/[\r\n]/g, ''))
    ? { bytes: Buffer.from(base64, 'base64').toString('latin1') }
    : undefined;
}

/** What a token or an API call grants in a channel. `undefined` if its base64 is malformed. */
export function grantOf(options: Decoded<typeof ChannelGrant>, expireAt: number): Grant | undefined {
  const info = bytesOf(options.info, options.b64info);
  const data = bytesOf(options.data, options.b64data);
  return info && data && { info: info.bytes, data: data.bytes, override: options.override, expireAt };
}

/** Nothing beyond what the namespace says. */
export const NO_GRANT: Grant = { info: undefined, data: undefined, override: undefined, expireAt: 0 };

interface Checked {
  readonly user: string;
  readonly expireAt: number;
}

function check(
  claims: Registered,
  text: ByteString,
  options: TokenSettings,
  nowMs: number,
  isConnection: boolean,
): Checked | TokenFault {
  const exp = dateClaim(claims.exp);
  const nbf = dateClaim(claims.nbf);
  if (Number.isNaN(exp) || Number.isNaN(nbf) || Number.isNaN(dateClaim(claims.iat))) return 'invalid';
  const expireAt = expiry(claims, exp);
  if (expireAt === undefined || !matches(claims, options)) return 'invalid';
  // A token of one kind is no token of the other.
  if (isConnection && claims.channel !== '') return 'invalid';
  if (exp !== undefined && exp * 1000 <= nowMs) return 'expired';
  if (nbf !== undefined && nbf * 1000 >= nowMs) return 'expired';
  if (!isConnection && claims.channel === '') return 'invalid';
  return { user: userOf(claims, text, options), expireAt };
}

/** Reads the claims of a connection token. Of `subs` and `channels` the latter counts only where the former is empty. */
export function readConnectToken(text: ByteString, options: TokenSettings, nowMs: number): ConnectClaims | TokenFault {
  const claims = decodeJson(ConnectSchema, text);
  if (!claims) return 'invalid';
  const checked = check(claims, text, options, nowMs, true);
  if (typeof checked === 'string') return checked;
  const grants = new Map<string, Grant>();
  for (const [channel, value] of claims.subs) {
    const grant = grantOf(value, 0);
    if (!grant) return 'invalid';
    grants.set(channel, grant);
  }
  if (grants.size === 0) for (const channel of claims.channels) grants.set(channel, NO_GRANT);
  const info = bytesOf(claims.info, claims.b64info);
  if (!info) return 'unreadable';
  const { user, expireAt } = checked;
  return { user, expireAt, info: info.bytes, meta: present(claims.meta), data: undefined, grants };
}

/** Reads the claims of a subscription token. */
export function readSubscribeToken(
  text: ByteString,
  options: TokenSettings,
  nowMs: number,
): SubscribeToken | TokenFault {
  const claims = decodeJson(SubscribeSchema, text);
  if (!claims) return 'invalid';
  const checked = check(claims, text, options, nowMs, false);
  if (typeof checked === 'string') return checked;
  const grant = grantOf(claims, checked.expireAt);
  if (!grant) return 'invalid';
  return { user: checked.user, channel: claims.channel, client: claims.client, grant };
}
