import { useMemo, useSyncExternalStore } from 'react';
import { type Clock, systemClock } from '../core/clock.ts';
import { ABSENT, type Presence, type PresenceClient, PresenceStore } from './presence-store.ts';
import { useRealtime } from './use-realtime-status.ts';

/** How often presence is asked for. */
export interface PresenceOptions {
  /** How often it is asked for beside joins and changes. @default 30_000 */
  readonly refreshMs?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

/**
 * Who is in a channel, while the component is mounted. The namespace must have `presence`, and allow it to subscribers; with `force_push_join_leave` changes
 * are seen at once, else every `refreshMs`. Meant for a few dozen people: every change asks for the whole list.
 *
 * @param channel `null` or `undefined` asks for nothing
 */
export function usePresence(channel: string | null | undefined, options: PresenceOptions = {}): Presence {
  const { refreshMs = 30_000, clock = systemClock } = options;
  const manager = useRealtime<PresenceClient>();
  const store = useMemo(
    () => new PresenceStore(manager, channel, refreshMs, clock),
    [manager, channel, refreshMs, clock],
  );
  return useSyncExternalStore(store.subscribe, store.presence, () => ABSENT);
}
