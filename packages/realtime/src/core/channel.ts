import { InvalidChannelError } from './errors.ts';

/** The Centrifugo namespace that all channels live in. */
export const NAMESPACE = 'trpc';

/** Centrifugo's default limit for a channel name, in bytes. Names are ASCII, so characters are bytes. */
export const MAX_CHANNEL_BYTES = 255;

/** Any channel name: `trpc:<scope>` or `trpc:<scope>:<id>[:<id>…]`. */
export type ChannelName = `${typeof NAMESPACE}:${string}`;

/**
 * How the permission for a channel reaches the client (design §6). One channel has one way.
 * - `connection`: in the connection token. Only for what belongs to the identity itself and cannot be taken away.
 * - `grant`: a short-lived token per channel, in the answer of a query or on request.
 */
export type ChannelDelivery = 'connection' | 'grant';

/** What makes an id part: a string or a whole number, matching `[A-Za-z0-9._~@+=-]+` once written out. */
export type ChannelId = string | number;

/** One kind of channel. */
export interface ChannelDefinition {
  /** Names of the id parts, for types and error texts; none for a channel that exists once. */
  readonly ids?: readonly string[];
  /** The scope part of the name. @default the key in kebab-case (`pollVotes` → `poll-votes`) */
  readonly scope?: string;
  /** @default 'grant' */
  readonly delivery?: ChannelDelivery;
}

type KebabCase<S extends string, First extends boolean = true> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${KebabCase<Tail, false>}`
    : `${First extends true ? '' : '-'}${Lowercase<Head>}${KebabCase<Tail, false>}`
  : S;
type ScopeOf<K extends string, D extends ChannelDefinition> = D extends { scope: infer S extends string }
  ? S
  : KebabCase<K>;
type IdsOf<D extends ChannelDefinition> = D extends { ids: infer I extends readonly string[] } ? I : readonly [];
type IdPart<I extends readonly string[]> = I extends readonly [string, ...infer Rest extends readonly string[]]
  ? `:${string}${IdPart<Rest>}`
  : '';

/** Builds the names of one kind of channel. */
export interface ChannelBuilder<Scope extends string, Ids extends readonly string[]> {
  (...ids: { [K in keyof Ids]: ChannelId }): `${typeof NAMESPACE}:${Scope}${IdPart<Ids>}`;
  /** The `<scope>` of `trpc:<scope>:<id>`. */
  readonly scope: Scope;
  /** How permission for its channels travels: in the connection token, or as a grant. */
  readonly delivery: ChannelDelivery;
}

/** The typed builders that `defineChannels` returns, by the names that they were declared under. */
export type ChannelBuilders<D extends Record<string, ChannelDefinition>> = {
  readonly [K in keyof D & string]: ChannelBuilder<ScopeOf<K, D[K]>, IdsOf<D[K]>>;
};

const ID = /^[A-Za-z0-9._~@+=-]+$/;
const SCOPE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/**
 * Defines an application's own channels.
 *
 * ```ts
 * const AppChannels = defineChannels({ pollVotes: { ids: ['pollId', 'userId'] }, lobby: {} });
 * AppChannels.pollVotes(7, 42); // 'trpc:poll-votes:7:42'
 * ```
 * @throws InvalidChannelError (`invalid_channel`) for a scope that is not kebab-case, or one that is defined twice;
 * the builders throw it for an id with other characters than `[A-Za-z0-9._~@+=-]`, or a name over 255 bytes.
 */
export function defineChannels<const D extends Record<string, ChannelDefinition>>(definitions: D): ChannelBuilders<D> {
  const builders: Record<string, unknown> = {};
  const scopes = new Set<string>();
  for (const [key, definition] of Object.entries(definitions)) {
    const scope = definition.scope ?? key.replace(/[A-Z]/g, (c, at) => (at ? '-' : '') + c.toLowerCase());
    if (!SCOPE.test(scope)) throw new InvalidChannelError(`Scope "${scope}" must be kebab-case, like "poll-votes".`);
    if (scopes.has(scope)) throw new InvalidChannelError(`Scope "${scope}" is defined twice.`);
    scopes.add(scope);
    const build = (...ids: ChannelId[]) => buildName(scope, definition.ids ?? [], ids);
    builders[key] = Object.assign(build, { scope, delivery: definition.delivery ?? 'grant' });
  }
  return Object.freeze(builders) as ChannelBuilders<D>;
}

function buildName(scope: string, names: readonly string[], ids: readonly ChannelId[]): string {
  if (ids.length !== names.length)
    throw new InvalidChannelError(`Channel scope "${scope}" takes ${names.length} id(s), got ${ids.length}.`);
  let name = `${NAMESPACE}:${scope}`;
  for (const [at, id] of ids.entries()) {
    if (typeof id === 'number' ? !Number.isSafeInteger(id) : typeof id !== 'string' || !ID.test(id))
      throw new InvalidChannelError(
        `${names[at]} of "${name}" must match [A-Za-z0-9._~@+=-]+, got ${describe(id)}. encodeChannelId() makes any string an id.`,
      );
    name += `:${id}`;
  }
  if (name.length > MAX_CHANNEL_BYTES)
    throw new InvalidChannelError(
      `A channel name has at most ${MAX_CHANNEL_BYTES} bytes, "${scope}" got ${name.length}.`,
    );
  return name;
}

function describe(id: unknown): string {
  if (typeof id === 'string') return JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id);
  return typeof id === 'number' ? String(id) : id === null ? 'null' : typeof id;
}

/** The channels that every app has. */
export const Channels = defineChannels({
  /** `trpc:global`: data visible to all users. */
  global: { delivery: 'connection' },
  /** `trpc:org:<orgId>`: data of one organisation. A membership can end, so it travels as a grant. */
  org: { ids: ['orgId'] },
  /** `trpc:user:<userId>`: data of one user. */
  user: { ids: ['userId'], delivery: 'connection' },
});

const NAME = /^trpc:[a-z0-9]+(?:-[a-z0-9]+)*(?::[A-Za-z0-9._~@+=-]+)*$/;

/** Whether `value` is a well-formed channel name of this library. */
export function isChannelName(value: unknown): value is ChannelName {
  return typeof value === 'string' && value.length <= MAX_CHANNEL_BYTES && NAME.test(value);
}

/**
 * Returns `value` if it is a well-formed channel name.
 * @throws InvalidChannelError (`invalid_channel`)
 */
export function parseChannelName(value: unknown): ChannelName {
  if (isChannelName(value)) return value;
  throw new InvalidChannelError(
    `Expected a channel name like trpc:<scope>:<id> (ids match [A-Za-z0-9._~@+=-]+, at most ${MAX_CHANNEL_BYTES} bytes), got ${describe(value)}.`,
  );
}

const PLAIN = /^[A-Za-z0-9._@+-]$/;
/** Half of a surrogate pair without the other half: a string may hold it, UTF-8 cannot. */
const LONE_SURROGATE = /^[\uD800-\uDFFF]$/;

/**
 * Makes any string a valid channel id, reversibly (`decodeChannelId`). Plain characters stay; of every other one each byte of its UTF-8 form becomes `=XX`, a lone
 * surrogate becomes `~XXXX`, and the empty string `~`. Two different strings never give the same id.
 */
export function encodeChannelId(value: string): string {
  if (value === '') return '~';
  let id = '';
  for (const char of value) {
    if (PLAIN.test(char)) id += char;
    else if (LONE_SURROGATE.test(char)) id += `~${hex(char.charCodeAt(0))}`;
    else for (const byte of new TextEncoder().encode(char)) id += `=${hex(byte)}`;
  }
  return id;
}

/**
 * The string that `encodeChannelId` made this id from.
 * @throws InvalidChannelError (`invalid_channel`) for an id that it cannot have made.
 */
export function decodeChannelId(id: string): string {
  const value =
    id === '~'
      ? ''
      : id.replace(/~([0-9A-F]{4})|(?:=[0-9A-F]{2})+/g, (escaped, unit: string | undefined) =>
          unit ? String.fromCharCode(Number.parseInt(unit, 16)) : decodeUtf8(escaped.slice(1).split('=')),
        );
  if (encodeChannelId(value) !== id)
    throw new InvalidChannelError(`${describe(id)} was not made by encodeChannelId().`);
  return value;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(2, '0');
}

function decodeUtf8(bytes: readonly string[]): string {
  // Otherwise a byte order mark at the start would be swallowed.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
}
