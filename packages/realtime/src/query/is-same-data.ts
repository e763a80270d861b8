/** Deeper data is called different: it may refer to itself. */
const MAX_DEPTH = 200;

/**
 * Whether new data shows the same as the old. Structural sharing answers this for plain JSON by identity; but not where it is turned off, and not for data that holds
 * dates, maps or sets.
 */
export function isSameData(before: unknown, after: unknown, depth = 0): boolean {
  if (Object.is(before, after)) return true;
  if (typeof before !== 'object' || typeof after !== 'object' || !before || !after || depth > MAX_DEPTH) return false;
  const prototype: unknown = Object.getPrototypeOf(before);
  if (prototype !== Object.getPrototypeOf(after)) return false;
  const same = (one: unknown, other: unknown) => isSameData(one, other, depth + 1);
  if (Array.isArray(before))
    return (
      before.length === (after as unknown[]).length && before.every((item, at) => same(item, (after as unknown[])[at]))
    );
  if (before instanceof Date) return before.getTime() === (after as Date).getTime();
  if (before instanceof Map || before instanceof Set) {
    if (before.size !== (after as typeof before).size) return false;
    return same([...before], [...(after as Set<unknown>)]); // in another order they may be shown in another order
  }
  if (prototype !== Object.prototype && prototype !== null) return false; // of others nothing is known
  const keys = Object.keys(before);
  return (
    keys.length === Object.keys(after).length &&
    keys.every(
      (key) =>
        Object.hasOwn(after, key) &&
        same((before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key]),
    )
  );
}
