import type { ChannelName } from '@op/realtime';
import { realtime } from '@op/realtime/server';
import { reportFault } from './report-fault.ts';

/**
 * Ends somebody's subscriptions in all their windows now, and has the windows fetch all tokens anew. The old tokens live on for some minutes, but honest
 * clients stop using them.
 */
export function endSubscriptions(userId: string, channels: readonly ChannelName[]): void {
  Promise.all(channels.map((channel) => realtime.unsubscribe(userId, channel)))
    .then(() => realtime.revoke(userId))
    .catch((error) => reportFault({ kind: 'revoke', path: null, error }));
}
