/** Checked by the compiler alone: what users see of the types. */
import { focusManager, onlineManager, QueryClient } from '@tanstack/react-query';
import { expectTypeOf } from 'vitest';
import { RealtimeManager } from '../client/index.ts';
import { bindQueryClient, carryFreshness, deserializeData, type QueryFreshness, serializeData } from './index.ts';

const manager = RealtimeManager.initialize({ wsUrl: 'wss://example.org', getToken: async () => 'token' });

// Any client of TanStack Query 5, and its managers as they are.
const binding = bindQueryClient(new QueryClient(), manager, { focusManager, onlineManager, windowMs: 100 });
expectTypeOf(binding.status(['a'])).toEqualTypeOf<QueryFreshness>();
expectTypeOf(binding.subscribe(() => {})).toEqualTypeOf<() => void>();

// @ts-expect-error no such option
bindQueryClient(new QueryClient(), manager, { window: 100 });

// Both ends of hydration fit where TanStack Query wants them.
new QueryClient({ defaultOptions: { dehydrate: { serializeData }, hydrate: { deserializeData } } });
const own = carryFreshness({ serialize: JSON.stringify, deserialize: (data) => JSON.parse(String(data)) });
new QueryClient({
  defaultOptions: {
    dehydrate: { serializeData: own.serializeData },
    hydrate: { deserializeData: own.deserializeData },
  },
});
