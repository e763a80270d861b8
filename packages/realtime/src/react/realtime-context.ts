import { createContext, useContext } from 'react';
import { ConfigError } from '../core/usage-errors.ts';
import type { RealtimeStore } from './realtime-store.ts';

export const RealtimeContext = createContext<RealtimeStore | null>(null);

/** What the provider above holds. @throws ConfigError (`invalid_config`) without a provider */
export function useRealtimeStore(): RealtimeStore {
  const store = useContext(RealtimeContext);
  if (store) return store;
  throw new ConfigError('Put <RealtimeProvider manager={…}> around the components that use @op/realtime/react.');
}
