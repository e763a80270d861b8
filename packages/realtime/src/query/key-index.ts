import type { QueryKey } from '../core/message.ts';

/** Finds those whose key an invalidation can match by the first part of the key, so that a message does not cost a walk through the whole cache. */
export class KeyIndex<T> {
  readonly #byHead = new Map<string, Set<T>>();
  readonly #all = new Set<T>();

  add(key: QueryKey, value: T): void {
    this.#all.add(value);
    for (const head of heads(key)) {
      const bucket = this.#byHead.get(head);
      if (bucket) bucket.add(value);
      else this.#byHead.set(head, new Set([value]));
    }
  }

  delete(key: QueryKey, value: T): void {
    this.#all.delete(value);
    for (const head of heads(key)) {
      const bucket = this.#byHead.get(head);
      if (bucket?.delete(value) && !bucket.size) this.#byHead.delete(head);
    }
  }

  /** Every value whose key `filter` may match, and perhaps others. */
  candidates(filter: QueryKey): ReadonlySet<T> {
    const head = headOf(filter[0]);
    return head === undefined ? this.#all : (this.#byHead.get(head) ?? new Set());
  }
}

/** tRPC's keys begin with a path, or with a prefix and then the path (`matchesQuery`). */
function heads(key: QueryKey): string[] {
  const found = [headOf(key[0]), Array.isArray(key[0]) ? headOf(key[1]) : undefined];
  return found.filter((head) => head !== undefined);
}

function headOf(part: unknown): string | undefined {
  const first: unknown = Array.isArray(part) ? part[0] : part;
  return typeof first === 'string' ? first : undefined;
}
