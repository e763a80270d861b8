import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';

/**
 * The contract between `/trpc/server` and the link of `/trpc/client`: how a request says that it wants to know about freshness, and how an answer tells.
 *
 * An answer travels as `{ "~op/rt": WireMeta, d: data }` in the place of `data`, and only where the request announced itself, so nobody else ever sees it.
 * Plain JSON drops `d: undefined`: a missing `d` reads as undefined. Reading the metadata is `parse-meta.ts`, which a browser loads later than this.
 */

/** The only version so far. Within it fields may be added; a reader ignores what it does not know. Another number: all of the metadata is ignored. */
export const META_VERSION = 1;

/** Request header, and key in tRPC's `connectionParams`: "wrap the answers"; its value is `META_VERSION`. Belongs in `Vary`. */
export const ANNOUNCE_HEADER = 'x-op-realtime';

/** Request header: an id that the answer echoes, to tell an answer that was made for this request from a cached one. Never in `Vary`. */
export const REQUEST_ID_HEADER = 'x-op-realtime-id';

/** A server echoes only ids of at most this length, `[A-Za-z0-9_-]`. */
export const MAX_REQUEST_ID_LENGTH = 64;

/** More watched or touched channels than this in one answer make its metadata malformed. */
export const MAX_CHANNELS_PER_ANSWER = 1000;

/** Longer grants are dropped. */
export const MAX_GRANT_LENGTH = 8192;

/** A longer spread is ignored: no screen may be out of date for longer because a server said so. */
export const MAX_SPREAD_MS = 600_000;

const META = '~op/rt';

/** A channel that the data of a query depends on. */
export interface WatchedChannel {
  readonly channel: ChannelName;
  /** Where the channel stood before the data was read; `null` where it could not be known. */
  readonly stamp: Position | null;
  /** A subscription token for the channel; `null` where the connection token carries it, or nothing could be issued. */
  readonly grant: string | null;
}

/** A channel that a mutation announced something on. */
export interface TouchedChannel {
  readonly channel: ChannelName;
  /** The position of the publication; `null` where it was not known in time, or publishing failed. */
  readonly position: Position | null;
  readonly message: Message;
}

/** What an answer says about its freshness. */
export interface AnswerMeta {
  /** The request's id as the server saw it; `true` where an answer cannot be anybody else's (WebSocket, in process); `null` for data that is older than the request (a cache, a replica). */
  readonly requestId: string | true | null;
  readonly channels: readonly WatchedChannel[];
  readonly touched: readonly TouchedChannel[];
  /** Over which time the refetches after a loss of the broker's history are to be spread, in milliseconds. @default 0 */
  readonly lostHistorySpreadMs?: number | undefined;
}

/** `AnswerMeta` on the wire: what is unknown is left out. */
interface WireMeta {
  readonly v: typeof META_VERSION;
  readonly id?: string | true;
  readonly watch?: readonly { channel: string; epoch?: string; offset?: number; grant?: string }[];
  readonly spread?: number;
  readonly touch?: readonly { channel: string; epoch?: string; offset?: number; message?: Message }[];
}

/** `data` as it travels to a link that announced itself. */
interface Envelope {
  readonly [META]: WireMeta;
  readonly d: unknown;
}

/** Makes the envelope of an answer. */
export function toEnvelope(meta: AnswerMeta, data: unknown): Envelope {
  return { [META]: toWireMeta(meta), d: data };
}

/** Writes metadata for the wire. A message that invalidates the whole channel is the default and left out. */
export function toWireMeta({ requestId, channels, touched, lostHistorySpreadMs }: AnswerMeta): WireMeta {
  return {
    v: META_VERSION,
    ...(requestId !== null && { id: requestId }),
    ...(channels.length && {
      watch: channels.map(({ channel, stamp, grant }) => ({ channel, ...stamp, ...(grant !== null && { grant }) })),
    }),
    ...(channels.length && lostHistorySpreadMs && { spread: lostHistorySpreadMs }),
    ...(touched.length && {
      touch: touched.map(({ channel, position, message }) => ({
        channel,
        ...position,
        ...(message.type !== 'channel-invalidation' && { message }),
      })),
    }),
  };
}

/** Opens an envelope; `null` for what is none. Whatever its metadata is (`parseMeta` tells), the data is handed on. */
export function openEnvelope(value: unknown): { readonly data: unknown; readonly wire: unknown } | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, META)) return null;
  const { [META]: wire, d } = value as { [META]: unknown; d?: unknown };
  return { data: d, wire };
}
