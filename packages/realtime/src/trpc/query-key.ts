import type { QueryKey } from '../core/message.ts';

/**
 * All that is known about the keys that tRPC gives to queries; `query-key.test.ts` checks it against the real library.
 *
 * query `[['a', 'b'], { input, type: 'query' }]` · infinite `[['a', 'b'], { input, type: 'infinite' }]`, where `cursor` and `direction` are taken out of the input ·
 * without input, or with `skipToken`: no `input` · with a `keyPrefix`: `[['prefix'], ['a', 'b'], {…}]`.
 */

/** The procedure that a query calls, as the link sees it (`a.b`), or `null` where the key is none of tRPC's. */
export function procedureOf(key: QueryKey): { readonly path: string; readonly input: unknown } | null {
  const [path, args] = key.length > 2 ? key.slice(1) : key;
  if (!Array.isArray(path) || typeof args !== 'object' || !args || !('type' in args)) return null;
  return { path: path.join('.'), input: 'input' in args ? args.input : undefined };
}

/**
 * Whether a call with `input` belongs to a query with `keyInput`. tRPC hands the key's own input to the call; for a page of an infinite query a copy with
 * `cursor` and `direction`. So identity decides, one level deep.
 */
export function isInputOf(keyInput: unknown, input: unknown): boolean {
  if (Object.is(keyInput, input)) return true;
  if (typeof input !== 'object' || !input) return false;
  const { cursor: _cursor, direction: _direction, ...rest } = input as Record<string, unknown>;
  const own = (keyInput ?? {}) as Record<string, unknown>;
  const names = Object.keys(rest);
  return names.length === Object.keys(own).length && names.every((name) => Object.is(rest[name], own[name]));
}
