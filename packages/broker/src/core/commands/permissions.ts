import type { ResolvedChannelOptions } from '../channel-options.ts';
import type { Session } from '../session.ts';

/** The rule behind all `allow_…` options of a namespace: for clients, or for subscribers; anonymous ones only if that is allowed too. */
function isAllowed(
  session: Session,
  forClient: boolean,
  forSubscriber: boolean,
  forAnonymous: boolean,
  isSubscriber: boolean,
): boolean {
  if (session.engine.settings.client.insecure) return true;
  return (forClient || (forSubscriber && isSubscriber)) && (session.user !== '' || forAnonymous);
}

/** @param willSubscribe the client is about to subscribe and counts as a subscriber */
export function mayReadHistory(
  session: Session,
  channel: string,
  options: ResolvedChannelOptions,
  willSubscribe = false,
): boolean {
  const { allowHistoryForClient, allowHistoryForSubscriber, allowHistoryForAnonymous } = options;
  const isSubscriber = willSubscribe || session.subscriptions.has(channel);
  return isAllowed(session, allowHistoryForClient, allowHistoryForSubscriber, allowHistoryForAnonymous, isSubscriber);
}

/** @param willSubscribe the client is about to subscribe and counts as a subscriber */
export function mayReadPresence(
  session: Session,
  channel: string,
  options: ResolvedChannelOptions,
  willSubscribe = false,
): boolean {
  const { allowPresenceForClient, allowPresenceForSubscriber, allowPresenceForAnonymous } = options;
  const isSubscriber = willSubscribe || session.subscriptions.has(channel);
  return isAllowed(
    session,
    allowPresenceForClient,
    allowPresenceForSubscriber,
    allowPresenceForAnonymous,
    isSubscriber,
  );
}

export function mayPublish(session: Session, channel: string, options: ResolvedChannelOptions): boolean {
  const { allowPublishForClient, allowPublishForSubscriber, allowPublishForAnonymous } = options;
  const isSubscriber = session.subscriptions.has(channel);
  return isAllowed(session, allowPublishForClient, allowPublishForSubscriber, allowPublishForAnonymous, isSubscriber);
}
