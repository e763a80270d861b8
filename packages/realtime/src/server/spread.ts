import type { ChannelName } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Message } from '../core/message.ts';

/**
 * How long the refetches that a publication causes are spread over, in milliseconds; 0 for not at all. Asked before every invalidation that says nothing itself, so
 * answer from memory. A promise is waited for.
 */
export type SpreadPolicy = (channel: ChannelName) => number | Promise<number>;

/** How much room one scope gives. */
export interface ScopeSpread {
  /** Room per subscriber, in milliseconds. 1 means about 1,000 refetches a second, from all tabs together. */
  readonly perSubscriberMs: number;
  /** The most, in milliseconds, however many there are. */
  readonly maxMs: number;
}

/** Spreading by the number of subscribers. */
export interface SpreadOptions {
  /** By scope (`org`, `poll-votes`). `false`: never spread. @default 1 ms per subscriber, at most 10 s; `user` never */
  readonly scopes?: Readonly<Record<string, ScopeSpread | false>>;
  /** Less than this, in milliseconds, is not worth a delay. @default 100 */
  readonly minMs?: number;
}

/** What spreading asks for: a number at once where there is one. */
interface LiveCounts {
  connections(): number | Promise<number>;
  subscribers(channel: ChannelName): number | Promise<number>;
}

/** @default for every scope but `user`, and after the broker lost its history */
export const DEFAULT_SCOPE: ScopeSpread = { perSubscriberMs: 1, maxMs: 10_000 };
const ASK_TIMEOUT_MS = 100;
/** After a count that did not come nobody waits for another one for this long. */
const PAUSE_MS = 1_000;

/** Less than this, in milliseconds, is not worth a delay. */
const MIN_MS = 100;

/** The law: so much for each, and none where that is not worth a delay. */
export function roomFor(subscribers: number, { perSubscriberMs, maxMs }: ScopeSpread, minMs = MIN_MS): number {
  const spreadMs = Math.min(maxMs, subscribers * perSubscriberMs);
  return spreadMs < minMs ? 0 : Math.round(spreadMs);
}

/**
 * Spreads by the number of subscribers, so that a channel with ten of them is fresh at once and one with ten thousand does not bring down its server.
 *
 * The count is asked rarely (`subscriberCountMaxAgeMs`), and for small deployments never: as long as all connections together need no spread, no channel does.
 * A publication waits for a count only where none is known, and for at most 100 ms.
 */
export function spreadBySubscribers(
  counts: LiveCounts,
  clock: Clock,
  { scopes = {}, minMs = MIN_MS }: SpreadOptions = {},
): SpreadPolicy {
  let silentUntil = Number.NEGATIVE_INFINITY;

  function count<T>(ask: () => number | Promise<number>, use: (count: number) => T): T | Promise<T> {
    if (clock.now() < silentUntil) return use(0);
    const known = ask();
    if (typeof known === 'number') return use(known);
    return new Promise<number>((resolve) => {
      const fail = () => {
        silentUntil = clock.now() + PAUSE_MS;
        resolve(0);
      };
      const cancel = clock.after(ASK_TIMEOUT_MS, fail);
      known.then(resolve, fail).finally(cancel);
    }).then(use);
  }

  return (channel) => {
    const scope = channel.split(':', 2)[1] ?? '';
    const configured = Object.hasOwn(scopes, scope) ? scopes[scope] : scope === 'user' ? false : DEFAULT_SCOPE;
    if (!configured) return 0;
    const spreadFor = (subscribers: number) => roomFor(subscribers, configured, minMs);
    return count(
      () => counts.connections(),
      (connections) => (spreadFor(connections) ? count(() => counts.subscribers(channel), spreadFor) : 0),
    ) as number | Promise<number>;
  };
}

/** Beyond this many channels in one publication they are not counted one by one. */
const MAX_COUNTED = 20;

/**
 * The spread of one publication. Where the message goes to several channels, the most that one of them asks for; of many channels the first twenty are asked.
 * 0 for events, and for what has a spread of its own (`spreadMs: 0` says never).
 *
 * @returns at once where everything is known. A policy that fails costs only the spread; `failed` hears of it.
 */
export function spreadOf(
  policy: SpreadPolicy,
  channels: readonly ChannelName[],
  message: Message,
  failed: (error: unknown) => void,
): number | Promise<number> {
  if (message.type === 'event' || message.spreadMs !== undefined) return 0;
  const none = (error: unknown) => {
    failed(error);
    return 0;
  };
  const asked: (number | Promise<number>)[] = [];
  for (const channel of channels.length > MAX_COUNTED ? channels.slice(0, MAX_COUNTED) : channels)
    try {
      const spreadMs = policy(channel);
      asked.push(typeof spreadMs === 'number' ? spreadMs : Promise.resolve(spreadMs).catch(none));
    } catch (error) {
      asked.push(none(error));
    }
  return asked.every((spreadMs) => typeof spreadMs === 'number')
    ? Math.max(0, ...asked)
    : Promise.all(asked).then((all) => Math.max(0, ...all));
}
