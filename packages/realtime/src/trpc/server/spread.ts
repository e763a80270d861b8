import type { ChannelName } from '../../core/channel.ts';
import type { Clock } from '../../core/clock.ts';
import type { Realtime } from '../../server/realtime.ts';

/** How long the refetches that an announcement causes are spread over, in milliseconds. */
export type SpreadPolicy = (channel: ChannelName) => number | Promise<number>;

/** How much room one scope gives. */
export interface ScopeSpread {
  /** Room per subscriber. 1 means about 1,000 refetches a second, from all tabs together. */
  readonly perSubscriberMs: number;
  readonly maxMs: number;
}

export interface SpreadOptions {
  /** By scope (`org`, `poll-votes`). `false`: never spread. @default 1 ms per subscriber, at most 10 s; `user` never */
  readonly scopes?: Readonly<Record<string, ScopeSpread | false>>;
  /** Less than this is not worth a delay. @default 100 */
  readonly minMs?: number;
}

const DEFAULT_SCOPE: ScopeSpread = { perSubscriberMs: 1, maxMs: 10_000 };
const ASK_TIMEOUT_MS = 100;

/**
 * Spreads by the number of subscribers, so that a channel with ten of them is fresh at once and one with ten thousand does not bring down its server.
 *
 * The count is asked rarely (`subscriberCountMaxAgeMs`), and for small deployments never: as long as all connections together need no spread, no channel does.
 * An announcement waits for a count only the first time, and for at most 100 ms.
 */
export function spreadBySubscribers(
  realtime: Pick<Realtime, 'subscriberCount' | 'connectionCount'>,
  clock: Clock,
  { scopes = {}, minMs = 100 }: SpreadOptions = {},
): SpreadPolicy {
  return async (channel) => {
    const scope = channel.split(':')[1] ?? '';
    const configured = Object.hasOwn(scopes, scope) ? scopes[scope] : scope === 'user' ? false : DEFAULT_SCOPE;
    if (!configured) return 0;
    const { perSubscriberMs, maxMs } = configured;
    const connections = await inTime(realtime.connectionCount(), clock);
    if (connections * perSubscriberMs < minMs) return 0;
    const spreadMs = Math.min(maxMs, (await inTime(realtime.subscriberCount(channel), clock)) * perSubscriberMs);
    return spreadMs < minMs ? 0 : Math.round(spreadMs);
  };
}

/** A count, or 0 where it cannot be known soon: an announcement must not wait for a nicety. */
function inTime(count: Promise<number>, clock: Clock): Promise<number> {
  return new Promise((resolve) => {
    const cancel = clock.after(ASK_TIMEOUT_MS, () => resolve(0));
    count
      .catch(() => 0)
      .then((known) => {
        cancel();
        resolve(known);
      });
  });
}
