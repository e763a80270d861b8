import type { Query } from '@tanstack/query-core';
import type { QueryKey } from '../core/message.ts';
import type { BoundQuery } from './bound-query.ts';
import type { Entry } from './entry.ts';
import { KeyIndex } from './key-index.ts';

/** The queries of one cache, found by whatever names them, so that nothing is ever searched for. */
export class BoundQueries {
  readonly #byQuery = new Map<Query, BoundQuery>();
  readonly #byEntry = new Map<Entry, BoundQuery>();
  readonly #byPath = new Map<string, Set<BoundQuery>>();
  readonly #byKey = new KeyIndex<BoundQuery>();

  add(bound: BoundQuery): void {
    const { query, entry, procedure } = bound;
    this.#byQuery.set(query, bound);
    this.#byEntry.set(entry, bound);
    this.#byKey.add(query.queryKey, bound);
    if (!procedure) return;
    const bucket = this.#byPath.get(procedure.path);
    if (bucket) bucket.add(bound);
    else this.#byPath.set(procedure.path, new Set([bound]));
  }

  delete(bound: BoundQuery): void {
    const { query, entry, procedure } = bound;
    this.#byQuery.delete(query);
    this.#byEntry.delete(entry);
    this.#byKey.delete(query.queryKey, bound);
    if (!procedure) return;
    const bucket = this.#byPath.get(procedure.path);
    if (bucket?.delete(bound) && !bucket.size) this.#byPath.delete(procedure.path);
  }

  /** The cache's object; one that was removed and made anew is another one. */
  get(query: Query): BoundQuery | undefined {
    return this.#byQuery.get(query);
  }

  ofEntry(entry: Entry): BoundQuery | undefined {
    return this.#byEntry.get(entry);
  }

  /** Those of a tRPC procedure, with whatever input. */
  ofPath(path: string): Iterable<BoundQuery> {
    return this.#byPath.get(path) ?? [];
  }

  /** Every query whose key an invalidation of `filter` may match, and perhaps others. */
  candidates(filter: QueryKey): Iterable<BoundQuery> {
    return this.#byKey.candidates(filter);
  }

  /** In the order in which they came. */
  all(): Iterable<BoundQuery> {
    return this.#byQuery.values();
  }

  clear(): void {
    this.#byQuery.clear();
  }
}
