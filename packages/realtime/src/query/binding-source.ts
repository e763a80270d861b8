import type { QueryClient } from '@tanstack/query-core';
import type { BindingEvent, RealtimeObserver } from '../core/events.ts';
import type { Bond, ChannelRecord } from '../core/freshness-records.ts';
import { reached } from '../core/freshness-verdict.ts';
import type { QueryKey } from '../core/message.ts';
import { observe } from '../core/observers.ts';
import type { Position } from '../core/position.ts';
import type { Source } from '../core/sources.ts';
import type { BoundQueries } from './bound-queries.ts';
import type { BoundQuery } from './bound-query.ts';
import type { QueryFreshness } from './query-freshness.ts';

/** A bound query client as tools see it. */
export interface BindingSource extends Source {
  readonly kind: 'binding';
  observe(observer: RealtimeObserver<BindingEvent>): () => void;
  /** All queries of the client, in the order in which they came into its cache. */
  inspect(): readonly QuerySnapshot[];
  /** What is known of one query, by channel; `null` for one that has left. */
  proofs(hash: string): readonly ChannelProof[] | null;
}

/** A query at one moment. */
export interface QuerySnapshot {
  readonly hash: string;
  readonly key: QueryKey;
  /** Of the tRPC procedure, where the key is tRPC's. */
  readonly path: string | null;
  readonly isActive: boolean;
  readonly isFetching: boolean;
  readonly freshness: QueryFreshness;
  readonly channels: number;
}

/** How new the data of a query is on one channel. */
export interface ChannelProof {
  readonly channel: string;
  readonly isJoined: boolean;
  /** Where the channel's stream stands: everything up to here was delivered. `null`: not joined yet. */
  readonly position: Position | null;
  /** The highest offset that was heard of from anywhere. */
  readonly known: number;
  /** Nothing is known about what lies at or below this offset. */
  readonly base: number;
  /** What the server had read before it read the data. */
  readonly stamp: Position | null;
  /** What this tab had heard of when the request left. */
  readonly floor: Position | null;
  /** The last publication that concerned this query; 0 if there was none. */
  readonly lastNews: number;
  /** Up to this offset everything is in the data; -1 where nothing is proved. */
  readonly reached: number;
}

/** One channel's proof, from the records of the model. */
function toChannelProof({ name, live, cursor, known, base }: ChannelRecord, bond: Bond): ChannelProof {
  const { stamp, floor, hintFloor, hit } = bond;
  return {
    channel: name,
    isJoined: live,
    position: cursor,
    known,
    base,
    stamp,
    floor: floor ?? hintFloor,
    lastNews: hit,
    reached: reached(cursor, bond),
  };
}

/** Makes a bound query client visible to tools. */
export function toBindingSource(
  client: QueryClient,
  queries: BoundQueries,
  observers: Set<RealtimeObserver<BindingEvent>>,
  freshnessOf: (bound: BoundQuery) => QueryFreshness,
): BindingSource {
  return {
    kind: 'binding',
    observe: (observer) => observe(observers, observer),
    inspect: () =>
      Array.from(queries.all(), (bound) => ({
        hash: bound.query.queryHash,
        key: bound.query.queryKey,
        path: bound.procedure?.path ?? null,
        isActive: bound.isActive,
        isFetching: bound.entry.port.isFetching(),
        freshness: freshnessOf(bound),
        channels: bound.entry.bonds.size,
      })),
    proofs: (hash) => {
      const query = client.getQueryCache().get(hash);
      const bound = query && queries.get(query);
      return bound ? Array.from(bound.entry.bonds, ([channel, bond]) => toChannelProof(channel, bond)) : null;
    },
  };
}
