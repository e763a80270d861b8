import { Channels, defineChannels } from '@op/realtime';

/**
 * What can change, each with a channel of its own, so that a new post refetches no list of members. Beside the built-in ones: `global` is the feed of everybody,
 * `org` the feed of one organisation, `user` somebody's notifications.
 */
export const TownChannels = defineChannels({
  /** Which organisations there are, and how many are in each. */
  organisations: {},
  /** Who is in one organisation. */
  members: { ids: ['orgId'] },
  /** What is broken on purpose. */
  chaos: {},
});

export const feedChannel = (orgId: string | null) => (orgId === null ? Channels.global() : Channels.org(orgId));

/** The channels that come and go with a membership. */
export const membershipChannels = (orgId: string) => [Channels.org(orgId), TownChannels.members(orgId)];
