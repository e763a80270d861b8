import { RealtimeManager, type RealtimeStatus } from '@op/realtime/client';
import { useSyncExternalStore } from 'react';

/** The state of the window's connection to the broker. */
export function useConnectionStatus(): RealtimeStatus {
  return useSyncExternalStore(subscribe, read);
}

const subscribe = (listener: () => void) => RealtimeManager.getInstance().onStatus(listener);
const read = () => RealtimeManager.getInstance().status;
