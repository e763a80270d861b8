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
  if (message.exact) return partiallyEqual(queryKey, filter) && partiallyEqual(filter, queryKey);
  if (partiallyEqual(queryKey, filter)) return true;
  if (!filter.length || !filter.every((part) => typeof part === 'string')) return false;
  return isPathPrefix(filter, queryKey[0]) || (isPath(queryKey[0]) && isPathPrefix(filter, queryKey[1]));
}

function isPath(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

function isPathPrefix(prefix: QueryKey, path: unknown): boolean {
  return isPath(path) && prefix.every((part, at) => part === path[at]);
}

/** `b` is part of `a`, as in TanStack Query's `partialMatchKey`: every property of `b`, at every depth, is in `a`. */
function partiallyEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== typeof b || !a || !b || typeof a !== 'object') return false;
  return Object.keys(b as object).every((key) =>
    partiallyEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
