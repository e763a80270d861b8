import type { QueryKey } from '../core/message.ts';

/**
 * Finds those whose key an invalidation can match by the words that the key begins with, so that a message does not cost a walk through the whole cache: by
 * `['user', 'list']` those under `['user', 'list', …]` and under tRPC's `[['user', 'list', …], …]`.
 */
export class KeyIndex<T> {
  readonly #byWords = new Map<string, Set<T>>();
  readonly #all = new Set<T>();

  add(key: QueryKey, value: T): void {
    this.#all.add(value);
    for (const words of beginnings(key)) {
      const bucket = this.#byWords.get(words);
      if (bucket) bucket.add(value);
      else this.#byWords.set(words, new Set([value]));
    }
  }

  delete(key: QueryKey, value: T): void {
    this.#all.delete(value);
    for (const words of beginnings(key)) {
      const bucket = this.#byWords.get(words);
      if (bucket?.delete(value) && !bucket.size) this.#byWords.delete(words);
    }
  }

  /** Every value whose key `filter` may match, and perhaps others. */
  candidates(filter: QueryKey): ReadonlySet<T> {
    const words = leadingWords(Array.isArray(filter[0]) ? filter[0] : filter);
    return words.length ? (this.#byWords.get(words.join(SEPARATOR)) ?? new Set()) : this.#all;
  }
}

const SEPARATOR = '\0';

/** All beginnings of the words of a key. tRPC's keys begin with a path, or with a prefix and then the path. */
function beginnings(key: QueryKey): Set<string> {
  const found = new Set<string>();
  const lists = Array.isArray(key[0]) ? [key[0], Array.isArray(key[1]) ? key[1] : []] : [key];
  for (const list of lists) {
    const words = leadingWords(list);
    for (let length = words.length; length; length--) found.add(words.slice(0, length).join(SEPARATOR));
  }
  return found;
}

function leadingWords(list: QueryKey): readonly unknown[] {
  const end = list.findIndex((part) => typeof part !== 'string');
  return end < 0 ? list : list.slice(0, end);
}
