import type { Message, QueryKey } from './message.ts';
import type { Position } from './position.ts';

/**
 * What a manager and a binding tell those who `observe` them: devtools, reporters of metrics and traces. Nothing is made while nobody listens.
 *
 * Events are plain data and are never changed afterwards; an observer may keep them. What belongs together is joined by identity:
 * - a fetch by `fetch`: the `RefetchStarted` object that a `RefetchEnded` names;
 * - why by `cause` and `causes`: the very object is the same in `stale`, `refetch-started` and `refetch-ended`;
 * - a publication and the news that it was by `message`, which is one object for all who are told of it;
 * - a mutation by `mutation`, also between several bindings of one tab; its echo by channel and position.
 */
export type RealtimeEvent = ManagerEvent | BindingEvent;

/** Told by `RealtimeManager.observe`. */
export type ManagerEvent = StatusChanged | ChannelJoined | ChannelLost | PublicationArrived;

/** Told by `QueryBinding.observe`. */
export type BindingEvent =
  | MutationStarted
  | MutationAnswered
  | MutationEnded
  | StreamGap
  | QueriesStale
  | RefetchStarted
  | RefetchEnded;

/** Is called synchronously, in the order in which things happen. One that throws is reported to the console and stops nobody. */
export type RealtimeObserver<E extends RealtimeEvent = RealtimeEvent> = (event: E) => void;

interface Told {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** The connection's state changed, or the reason for it. */
export interface StatusChanged extends Told {
  readonly type: 'status';
  /** A `ConnectionState`. */
  readonly state: string;
  /** The code of the error that is the reason, such as `token_unavailable`. */
  readonly code: string | null;
  /** The same in words; without secrets. */
  readonly reason: string | null;
}

/** A channel was joined, or joined again. */
export interface ChannelJoined extends Told {
  readonly type: 'joined';
  /** The channel that was joined. */
  readonly channel: string;
  /** `ChannelJoin.position`. */
  readonly position: Position | null;
  /** Whether everything that was missed follows. */
  readonly recovered: boolean;
  /** Recovery was asked for: a rejoin, or a first join from where the answers are. Without `recovered` something may have been missed. */
  readonly wasRecovering: boolean;
}

/** A channel is not covered any more. */
export interface ChannelLost extends Told {
  readonly type: 'lost';
  /** The channel that is not covered any more. */
  readonly channel: string;
  /** `ChannelLoss.kind`: only after `dropped` the client tries again by itself. */
  readonly kind: 'dropped' | 'refused' | 'unsubscribed';
  /** The broker's code, where it gave one. */
  readonly brokerCode: number | null;
  /** Why it is refused, in words; `null` otherwise. */
  readonly reason: string | null;
}

/** A publication arrived, once per channel and however many listen. */
export interface PublicationArrived extends Told {
  readonly type: 'publication';
  /** The channel that it was published to. */
  readonly channel: string;
  /** Its place in the stream; `null` where the namespace keeps no history, or the publication skipped it. */
  readonly position: Position | null;
  /** It was missed, and recovered at a join. */
  readonly recovered: boolean;
  /** `null` for what is no message that this version knows. */
  readonly message: Message | null;
  /** As the publisher gave them, and `traceparent` where it traces. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A mutation of this tab, the same object in all events about it. */
export interface ObservedMutation {
  /** The procedure's path, such as `post.create`. */
  readonly path: string;
}

/** A mutation leaves. */
export interface MutationStarted extends Told {
  readonly type: 'mutation-started';
  /** The same object in all events about this mutation. */
  readonly mutation: ObservedMutation;
}

/** A mutation was answered, and the answer names what the server announced. */
export interface MutationAnswered extends Told {
  readonly type: 'mutation-answered';
  /** The same object as in `MutationStarted`. */
  readonly mutation: ObservedMutation;
  /** What the server announced for it, and where. */
  readonly touched: readonly {
    /** The channel that it was announced on. */
    readonly channel: string;
    /** Where the announcement stands; `null` where the server did not learn it in time. */
    readonly position: Position | null;
    /** What was announced. */
    readonly message: Message;
  }[];
}

/** A mutation is over. */
export interface MutationEnded extends Told {
  readonly type: 'mutation-ended';
  /** The same object as in `MutationStarted`. */
  readonly mutation: ObservedMutation;
  /** It failed, or its answer was lost. */
  readonly failed: boolean;
}

/** Something may have been missed on a channel: all queries that are bound to it are stale. A first join is no gap. */
export interface StreamGap extends Told {
  readonly type: 'gap';
  /** The channel with the gap. */
  readonly channel: string;
  /** The last position that was known. */
  readonly from: Position;
  /** Where the stream goes on; `null` where there is no history. */
  readonly to: Position | null;
}

/** A query of the cache, by its key. */
export interface ObservedQuery {
  /** TanStack Query's hash of the key. */
  readonly hash: string;
  /** The query key. */
  readonly key: QueryKey;
  /** In use on the page: it is fetched now. Others are marked, and fetched when they are used. */
  readonly isActive: boolean;
}

/** One piece of news made queries stale; told at the end of the turn in which it came, also where they were stale before. */
export interface QueriesStale extends Told {
  readonly type: 'stale';
  /** The news. The same object in the `causes` of the fetches that answer it. */
  readonly cause: StaleCause;
  /** The first `MAX_QUERIES_TOLD` of them. */
  readonly queries: readonly ObservedQuery[];
  /** How many in all. */
  readonly count: number;
}

/** More queries than this are counted only. */
export const MAX_QUERIES_TOLD = 100;

/**
 * Why a query is stale.
 * - `publication`: somebody changed what it shows.
 * - `mutation`: this tab did; known from the answer, before the publication came.
 * - `join`: the channel was joined the first time, and stood further than the data.
 * - `gap`: publications may have been missed.
 * - `earlier`: announced while the answer was on its way, which is not as new.
 * - `rollback`: written by hand during a mutation that failed.
 */
export type StaleCause =
  | {
      readonly type: 'publication';
      readonly channel: string;
      readonly position: Position | null;
      readonly message: Message;
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly type: 'mutation'; readonly mutation: ObservedMutation }
  | { readonly type: 'join'; readonly channel: string; readonly position: Position | null }
  | { readonly type: 'gap'; readonly channel: string; readonly from: Position; readonly to: Position | null }
  | { readonly type: 'earlier' }
  | { readonly type: 'rollback' };

/**
 * A fetch of a query begins.
 * `reason`: `stale`, `poll` (nothing covers it) and `uncertain` (it came into use while a channel was away for long) are ours; `app` is everything else:
 * a mount, a focus, `refetch()`.
 */
export interface RefetchStarted extends Told {
  readonly type: 'refetch-started';
  /** The query that is fetched. */
  readonly query: ObservedQuery;
  /** Who began it, and why; see above. */
  readonly reason: 'stale' | 'poll' | 'uncertain' | 'app';
  /** All news that this fetch answers, oldest first; of `app` fetches as well. At most `MAX_CAUSES`: the oldest and the newest. */
  readonly causes: readonly StaleCause[];
  /** The first fetch of a query brings its data, and changes nothing that anybody saw. */
  readonly isFirst: boolean;
}

/** Of more news for one fetch only the oldest and the newest are named. */
export const MAX_CAUSES = 16;

/**
 * A fetch is over.
 * `outcome`: `unchanged` where the data is equal to what was there (a wasted fetch, if there was any); `cancelled` also where another fetch replaced it.
 */
export interface RefetchEnded extends Told {
  readonly type: 'refetch-ended';
  /** The event that told of its beginning, the very object. */
  readonly fetch: RefetchStarted;
  /** What it brought; see above. */
  readonly outcome: 'changed' | 'unchanged' | 'failed' | 'cancelled';
  /** From its beginning, in milliseconds. */
  readonly durationMs: number;
  /** Time to fresh: from the first news to the data that contains it. `null` where there was no news, or the data does not contain it yet. */
  readonly freshAfterMs: number | null;
}
