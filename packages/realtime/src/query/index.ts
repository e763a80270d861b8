/**
 * Keeps the queries of a TanStack Query client fresh, and carries what is known of them from a server render to the browser.
 *
 * Imported where the `QueryClient` is made, in any framework.
 *
 * @module
 */

export type {
  BindingEvent,
  MutationAnswered,
  MutationEnded,
  MutationStarted,
  ObservedMutation,
  ObservedQuery,
  QueriesStale,
  RealtimeEvent,
  RealtimeObserver,
  RefetchEnded,
  RefetchStarted,
  StaleCause,
  StreamGap,
} from '../core/events.ts';
export { Answers, sharedAnswers } from './answers.ts';
export { bindingOf, bindQueryClient, type QueryBinding } from './bind-query-client.ts';
export type { BindingOptions } from './binding-options.ts';
export type { EntryStatus } from './entry.ts';
export {
  type CarrierOptions,
  carryFreshness,
  deserializeData,
  type FreshnessCarrier,
  serializeData,
} from './hydration.ts';
export type { FocusSource, OnlineSource } from './page.ts';
export type { QueryFreshness } from './query-freshness.ts';
export type { RefetchOptions } from './refetcher.ts';
