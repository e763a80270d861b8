import type { QueryClient } from '@tanstack/query-core';
import { type ReactNode, useEffect, useMemo } from 'react';
import type { RealtimeClient } from '../client/types.ts';
import { bindQueryClient } from '../query/bind-query-client.ts';
import type { BindingOptions } from '../query/binding-options.ts';
import { RealtimeContext } from './realtime-context.ts';
import { RealtimeStore } from './realtime-store.ts';

/** What the hooks below the provider use. */
export interface RealtimeProviderProps {
  /** `RealtimeManager.getInstance()`, or an instance of one's own. */
  readonly manager: RealtimeClient;
  /** The query client to keep fresh, the one of `QueryClientProvider`. Without it nothing is bound, and `useFreshness` says so. */
  readonly queryClient?: QueryClient | undefined;
  /** Options of the binding, as of its mount. */
  readonly binding?: BindingOptions | undefined;
  /** The components that use the hooks. */
  readonly children?: ReactNode;
}

/**
 * Gives the hooks their manager, and keeps the queries of `queryClient` fresh while it is mounted. Opens no socket by itself, on a server not at all.
 *
 * ```tsx
 * <QueryClientProvider client={queryClient}>
 *   <RealtimeProvider manager={RealtimeManager.getInstance()} queryClient={queryClient}>
 *     <App />
 *   </RealtimeProvider>
 * </QueryClientProvider>
 * ```
 */
export function RealtimeProvider({ manager, queryClient, binding, children }: RealtimeProviderProps): ReactNode {
  const store = useMemo(() => new RealtimeStore(manager), [manager]);
  // The options are not a dependency: an object written in place would bind anew at every render.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(
    () => (queryClient ? store.hold(bindQueryClient(queryClient, manager, binding)) : undefined),
    [store, queryClient],
  );
  return <RealtimeContext.Provider value={store}>{children}</RealtimeContext.Provider>;
}
