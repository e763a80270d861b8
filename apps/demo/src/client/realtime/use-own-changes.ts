import { useQueryClient } from '@tanstack/react-query';
import { trpc } from '../trpc.ts';

/** What one's own mutation changes is refetched without waiting for the broker to say so: it may be down. */
export function useOwnChanges() {
  const queryClient = useQueryClient();
  return {
    feedChanged: (orgId: string | null) =>
      queryClient.invalidateQueries({
        queryKey: orgId === null ? trpc.feed.everybody.queryKey() : trpc.feed.organisation.queryKey({ orgId }),
      }),
    membershipChanged: () => queryClient.invalidateQueries({ queryKey: trpc.organisation.pathKey() }),
    notificationsChanged: () => queryClient.invalidateQueries({ queryKey: trpc.user.notifications.queryKey() }),
  };
}
