import { Disconnects } from '../protocol/codes.ts';
import { unixSeconds } from './clock.ts';
import { MAX_TTL_SECONDS } from './commands/join.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** Asks the application whether a connection whose time is up may go on. */
export async function renewConnection(session: Session): Promise<void> {
  const { hooks, surroundings } = session.engine;
  const renewal = await hooks.refresh!(session);
  if (!session.isOpen) return;
  const now = unixSeconds(surroundings.clock);
  if (renewal !== 'expired') {
    if (renewal.expireAt > 0) session.expireAt = Math.min(renewal.expireAt, now + MAX_TTL_SECONDS);
    if (renewal.info !== undefined) session.changeInfo(renewal.info);
    if (renewal.meta !== undefined) session.meta = renewal.meta;
  }
  if (renewal === 'expired' || session.expireAt <= now) session.close(Disconnects.Expired);
  else session.scheduleExpiry();
}

/** Whether the application looks after the expiry of a subscription, and not the client with a token. */
export function isRenewedByApplication({ channel, options, isServerSide, session }: Subscription): boolean {
  const { subRefreshProxyEnabled } = channel.options;
  return (
    subRefreshProxyEnabled &&
    session.engine.hooks.subRefresh !== undefined &&
    (isServerSide || !options.isClientRefreshed)
  );
}

/** Asks the application whether a subscription whose time is up may go on. */
export async function renewSubscription(subscription: Subscription): Promise<void> {
  const { session, channel } = subscription;
  const { hooks, surroundings } = session.engine;
  // Not asked again while the answer is awaited.
  subscription.expireAt = 0;
  const renewal = await hooks.subRefresh!(session, channel.options.subRefreshProxyName, channel.name);
  if (session.subscriptions.get(channel.name) !== subscription) return;
  const now = unixSeconds(surroundings.clock);
  if (renewal === 'expired' || (renewal.expireAt > 0 && renewal.expireAt < now)) {
    session.subscriptionExpired(subscription);
    return;
  }
  subscription.expireAt = Math.min(Math.max(renewal.expireAt, 0), now + MAX_TTL_SECONDS);
  if (renewal.info !== undefined) subscription.changeInfo(renewal.info);
}
