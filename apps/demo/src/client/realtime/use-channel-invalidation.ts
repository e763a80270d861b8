import { matchesQuery } from '@op/realtime';
import { type ChannelLoss, RealtimeManager } from '@op/realtime/client';
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { invalidate } from './invalidate.ts';

/**
 * Steps 4 to 6 for one channel: hears which queries went stale and refetches them.
 * @param channel its name, or null to hear nothing
 * @param everything the keys of all queries that this channel speaks for: all of them are stale after a join that could not catch up
 * @param onGone called when this person may not read the channel any more
 */
export function useChannelInvalidation(
  channel: string | null,
  everything: readonly QueryKey[],
  onGone: () => void = () => {},
): void {
  const queryClient = useQueryClient();

  const invalidateKeys = useEffectEvent((keys: readonly QueryKey[], exact = false) => {
    void invalidate(queryClient, (query) => keys.some((queryKey) => matchesQuery({ queryKey, exact }, query.queryKey)));
  });
  const invalidateEverything = useEffectEvent(() => invalidateKeys(everything));
  const lose = useEffectEvent((loss: ChannelLoss) => {
    if (loss.kind !== 'dropped') onGone();
  });

  useEffect(() => {
    if (channel === null) return;
    return RealtimeManager.getInstance().subscribe(
      channel,
      (message) => {
        if (message.type === 'query-invalidation') invalidateKeys([message.queryKey], message.exact);
        if (message.type === 'channel-invalidation') invalidateEverything();
      },
      {
        onJoin: (join) => {
          if (!join.recovered) invalidateEverything();
        },
        onLoss: (loss) => lose(loss),
      },
    );
  }, [channel]);
}
