import { Channels } from '@op/realtime';
import { useQueryClient } from '@tanstack/react-query';
import { trpc } from '../trpc.ts';
import { useChannelInvalidation } from './use-channel-invalidation.ts';

/** What every window of this person listens to, on every page. */
export function usePersonalChannels(personId: string): void {
  useChannelInvalidation(Channels.global(), [
    trpc.feed.everybody.pathKey(),
    trpc.organisation.list.pathKey(),
    trpc.people.list.pathKey(),
  ]);
  useChannelInvalidation(Channels.user(personId), [trpc.user.pathKey(), trpc.organisation.pathKey()]);
}

/** What the page of an organisation listens to, as long as this person is a member. */
export function useOrganisationChannel(orgId: string, isMember: boolean): void {
  const queryClient = useQueryClient();
  const feed = trpc.feed.organisation.queryKey({ orgId });
  const members = trpc.organisation.members.queryKey({ orgId });
  useChannelInvalidation(isMember ? Channels.org(orgId) : null, [feed, members], () => {
    queryClient.removeQueries({ queryKey: feed });
    queryClient.removeQueries({ queryKey: members });
    void queryClient.invalidateQueries({ queryKey: trpc.organisation.list.queryKey() });
  });
}
