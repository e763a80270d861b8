import { InvalidMessageError } from './errors.ts';

/** A query key of TanStack Query, or a tRPC path such as `['user', 'notifications']`. */
export type QueryKey = readonly unknown[];

/** "These queries went stale": matched by `matchesQuery`. */
export interface QueryInvalidation {
  readonly type: 'query-invalidation';
  /** What `matchesQuery` compares with a cached key: TanStack's partial rule, and for tRPC also a path such as `['post', 'list']`. */
  readonly queryKey: QueryKey;
  /** Only the very key, no prefix. @default false */
  readonly exact?: boolean;
  /**
   * Clients wait a random part of this before they refetch, so that they do not all come at once. Milliseconds; 0: at once.
   * @default what the publishing server's `spread` says
   */
  readonly spreadMs?: number;
}

/** "Everything bound to this channel went stale." */
export interface ChannelInvalidation {
  readonly type: 'channel-invalidation';
  /** As in `QueryInvalidation`. */
  readonly spreadMs?: number;
}

/** An application's own event; it invalidates nothing. */
export interface EventMessage<Name extends string = string, Data = unknown> {
  readonly type: 'event';
  /** Not empty. Tells the events of an app apart. */
  readonly name: Name;
  /** Anything that JSON can say. It comes from outside: check it before use. */
  readonly data: Data;
}

/** What is published to a channel. */
export type Message = QueryInvalidation | ChannelInvalidation | EventMessage;

/** Either a message, or the reason why it is none. */
export type ParsedMessage =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses what came out of a publication. Never throws: an unknown type (a newer server) is a reason, not a fault.
 * Fields that are not part of a type are dropped.
 */
export function parseMessage(value: unknown): ParsedMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad(`expected an object, got ${kind(value)}`);
  const { type, queryKey, exact, spreadMs, name, data } = value as Record<string, unknown>;
  // A spread that makes no sense must not cost the invalidation.
  const spread = typeof spreadMs === 'number' && spreadMs >= 0 && { spreadMs };
  switch (type) {
    case 'query-invalidation':
      if (!Array.isArray(queryKey)) return bad(`queryKey must be an array, got ${kind(queryKey)}`);
      if (exact !== undefined && typeof exact !== 'boolean') return bad(`exact must be a boolean, got ${kind(exact)}`);
      return { ok: true, message: { type, queryKey, ...(exact && { exact }), ...spread } };
    case 'channel-invalidation':
      return { ok: true, message: { type, ...spread } };
    case 'event':
      if (typeof name !== 'string' || name === '')
        return bad(`an event needs a name that is not empty, got ${kind(name)}`);
      return { ok: true, message: { type, name, data } };
    default:
      return bad(`unknown type ${typeof type === 'string' ? JSON.stringify(type.slice(0, 40)) : kind(type)}`);
  }
}

/**
 * Returns `value` as a message that may be published.
 * @throws InvalidMessageError (`invalid_message`)
 */
export function assertMessage(value: unknown): Message {
  const parsed = parseMessage(value);
  if (!parsed.ok)
    throw new InvalidMessageError(
      `Not a message: ${parsed.reason}. Expected { type: 'query-invalidation', queryKey }, { type: 'channel-invalidation' } or { type: 'event', name, data }.`,
    );
  return parsed.message;
}

function bad(reason: string): ParsedMessage {
  return { ok: false, reason };
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
