import { type ChannelName, parseChannelName } from '../../core/channel.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { assertMessage, type Message } from '../../core/message.ts';
import type { Touched } from './procedure-call.ts';

/** One announcement: a channel, all of which went stale, or a message on it. */
export type Touch = ChannelName | { readonly channel: ChannelName; readonly message: Message };

/** What a mutation touches. Nothing for `undefined`, `null` and `false`, so that conditions can be written short. */
export type Touches = Touch | readonly (Touch | null | undefined | false)[] | null | undefined | false;

/**
 * @throws InvalidChannelError, InvalidMessageError, InvalidArgumentError
 */
export function parseTouches(touches: Touches): Touched[] {
  const list: readonly unknown[] = Array.isArray(touches) ? touches : [touches];
  return list.flatMap((touch) => {
    if (touch === null || touch === undefined || touch === false) return [];
    if (typeof touch === 'string')
      return { channel: parseChannelName(touch), message: { type: 'channel-invalidation' } };
    if (typeof touch !== 'object')
      throw new InvalidArgumentError(`Expected a channel or { channel, message }, got ${typeof touch}.`);
    const { channel, message } = touch as { channel?: unknown; message?: unknown };
    return { channel: parseChannelName(channel), message: assertMessage(message) };
  });
}

/** What a query depends on. Nothing for `undefined`, `null` and `false`. */
export type WatchedChannels =
  | ChannelName
  | readonly (ChannelName | null | undefined | false)[]
  | null
  | undefined
  | false;

/**
 * @throws InvalidChannelError
 */
export function parseChannels(channels: WatchedChannels): ChannelName[] {
  const list: readonly unknown[] = Array.isArray(channels) ? channels : [channels];
  const names = list.flatMap((name) =>
    name === null || name === undefined || name === false ? [] : parseChannelName(name),
  );
  return [...new Set(names)];
}
