import type { QueryInvalidation, QueryKey } from './message.ts';

/**
 * Whether an invalidation means the query with this key: TanStack Query's partial rule, and, for tRPC, the path:
 * `['user', 'notifications']` also matches `[['user', 'notifications'], { input, type }]` and, with a key prefix, `[['prefix'], ['user', 'notifications'], …]`.
 * With `exact` only the very key matches.
 *
 * ```ts
 * queryClient.invalidateQueries({ predicate: (query) => matchesQuery(message, query.queryKey) });
 * ```
 * Source of the rule: design §3; the shape of tRPC's keys is checked against the real library.
 */
export function matchesQuery(message: Pick<QueryInvalidation, 'queryKey' | 'exact'>, queryKey: QueryKey): boolean {
  const filter = message.queryKey;
  if (message.exact) return contains(queryKey, filter) && contains(filter, queryKey);
  const [first, second] = queryKey;
  // With a key prefix the path comes second, after the prefix.
  const isPrefixed = isPath(first) && isPath(second);
  if (contains(queryKey, filter) || (isPrefixed && contains(queryKey.slice(1), filter))) return true;
  return (
    filter.length > 0 && isPath(filter) && (startsWith(first, filter) || (isPrefixed && startsWith(second, filter)))
  );
}

function isPath(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

function startsWith(path: unknown, prefix: readonly string[]): boolean {
  return isPath(path) && prefix.every((part, at) => part === path[at]);
}

/**
 * Every property of `part`, at every depth, is in `whole`: TanStack Query's `partialMatchKey`, but between a key and one that may have come as JSON: there a Date
 * is its text, and `undefined` in a list is `null`. Without this such keys would never be invalidated.
 */
function contains(whole: unknown, part: unknown): boolean {
  const a = toJson(whole);
  const b = toJson(part);
  if (a === b) return true;
  if (!a || !b || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) && Array.isArray(b))
    return b.length <= a.length && b.every((item, at) => contains(a[at] ?? null, item ?? null));
  return Object.keys(b).every((key) => contains(a[key as keyof typeof a], b[key as keyof typeof b]));
}

function toJson(value: unknown): unknown {
  const convertible = value as { toJSON?: unknown } | null | undefined;
  return typeof convertible?.toJSON === 'function' ? convertible.toJSON() : value;
}
