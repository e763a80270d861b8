import { type ChannelName, Channels, type Message } from '@op/realtime';

/** The part of `realtime` that the demo's mutations use; tests hand in a recorder. */
export interface Publisher {
  publish(channel: ChannelName, message: Message): Promise<unknown>;
  revoke(userId: string, channel?: ChannelName): Promise<unknown>;
}

/** What can change, in the words of the app. Each call comes after the commit and never fails or delays the mutation that made it. */
export interface Announcer {
  feedChanged(orgId: string | null): void;
  notificationsChanged(userIds: Iterable<string>): void;
  joined(orgId: string, userId: string): void;
  left(orgId: string, userId: string): void;
}

/** Step 2 of 6: says which queries of which channel went stale. The only file of the server that knows which channel carries what. */
export function createAnnouncer(publisher: Publisher, onError: (error: unknown) => void): Announcer {
  const send = (done: Promise<unknown>) => void done.catch(onError);
  const stale = (channel: ChannelName, queryKey: readonly unknown[]) =>
    send(publisher.publish(channel, { type: 'query-invalidation', queryKey }));

  const membersChanged = (orgId: string, userId: string) => {
    stale(Channels.org(orgId), [['organisation', 'members'], { input: { orgId } }]);
    stale(Channels.user(userId), ['organisation']);
    stale(Channels.global(), ['organisation', 'list']);
  };

  return {
    feedChanged(orgId) {
      if (orgId === null) stale(Channels.global(), ['feed', 'everybody']);
      else stale(Channels.org(orgId), [['feed', 'organisation'], { input: { orgId } }]);
    },
    notificationsChanged(userIds) {
      for (const userId of new Set(userIds)) stale(Channels.user(userId), ['user', 'notifications']);
    },
    joined: membersChanged,
    left(orgId, userId) {
      membersChanged(orgId, userId);
      // The grant lives on for some minutes; this ends the subscription in all windows now.
      send(publisher.revoke(userId, Channels.org(orgId)));
    },
  };
}
