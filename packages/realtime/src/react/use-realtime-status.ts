import { useSyncExternalStore } from 'react';
import type { RealtimeClient, RealtimeStatus } from '../client/types.ts';
import { useRealtimeStore } from './realtime-context.ts';
import { SERVER_STATUS } from './realtime-store.ts';

/** The connection's state, since when it is in it, and why. On a server: `idle`. */
export function useRealtimeStatus(): RealtimeStatus {
  const { onStatus, status } = useRealtimeStore();
  return useSyncExternalStore(onStatus, status, () => SERVER_STATUS);
}

/** The manager of the provider above, to publish, to ask for presence, to `reconnect()`. */
export function useRealtime<Manager extends RealtimeClient = RealtimeClient>(): Manager {
  return useRealtimeStore().manager as Manager;
}
