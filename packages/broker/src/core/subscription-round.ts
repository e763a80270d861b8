import { isRenewedByApplication, renewSubscription } from './renewal.ts';
import type { Session } from './session.ts';

/** One round over the subscriptions of a session: who has expired, who has lost its place. */
export function lookAfterSubscriptions(session: Session, nowMs: number): void {
  const { engine } = session;
  const { expiredSubCloseDelayMs, channelPositionCheckDelayMs } = engine.settings.client;
  const nowSeconds = Math.floor(nowMs / 1000);
  for (const subscription of [...session.subscriptions.values()]) {
    if (!session.isOpen) return;
    subscription.presentAs = undefined;
    const { expireAt, epoch, checkedAtMs, channel } = subscription;
    if (expireAt > 0 && nowSeconds > expireAt + Math.floor(expiredSubCloseDelayMs / 1000)) {
      if (isRenewedByApplication(subscription)) void renewSubscription(subscription);
      else session.subscriptionExpired(subscription);
    } else if (epoch !== '' && channelPositionCheckDelayMs > 0 && nowMs - checkedAtMs > channelPositionCheckDelayMs) {
      subscription.checkedAtMs = nowMs;
      if (engine.stream(channel).epoch !== epoch) session.losePosition(subscription);
    }
  }
}
