import { useInsertionEffect, useMemo, useSyncExternalStore } from 'react';
import type { MessageHandler } from '../client/types.ts';
import { type ChannelHandlers, type ChannelStatus, ChannelStore, JOINING } from './channel-store.ts';
import { useRealtimeStore } from './realtime-context.ts';

/**
 * Listens to a channel while the component is mounted. The newest handler counts; a new one does not subscribe anew.
 *
 * ```tsx
 * const { state } = useChannel(Channels.org(orgId), (message) => { … });
 * ```
 * @param channel `null` or `undefined` listens to nothing
 * @returns whether its messages arrive; a refusal is here and goes to no `onError`
 */
export function useChannel(
  channel: string | null | undefined,
  onMessage?: MessageHandler,
  handlers?: Omit<ChannelHandlers, 'onMessage'>,
): ChannelStatus {
  const { manager } = useRealtimeStore();
  const store = useMemo(() => new ChannelStore(manager, channel), [manager, channel]);
  // Before any other effect of this commit, and never for a render that is thrown away.
  useInsertionEffect(() => {
    store.handlers = { ...handlers, onMessage };
  });
  return useSyncExternalStore(store.subscribe, store.status, () => JOINING);
}
