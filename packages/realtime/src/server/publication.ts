import { type ChannelName, parseChannelName } from '../core/channel.ts';
import { InvalidArgumentError, InvalidMessageError } from '../core/errors.ts';
import { assertMessage, type Message } from '../core/message.ts';
import type { PublishCommand } from './publish-command.ts';

/** Larger messages are refused where nothing else is said: every subscriber gets a copy, and a big one overflows the queues of slow clients. */
export const MAX_MESSAGE_BYTES = 65_536;

/** What goes with one publication. */
export interface PublishOptions {
  /** Two publishes to a channel with the same key within five minutes are one. @default a random one, so that a retry never doubles */
  readonly idempotencyKey?: string;
  /** Text that goes with the publication, apart from the message. */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Only for events: deliver to those who are connected now, and keep it out of the history that others recover from (typing, cursors).
   * @default false
   */
  readonly skipHistory?: boolean;
}

/** Publications are numbered from a random start: as unique as random keys, and cheaper. Edge runtimes allow no randomness while modules load. */
let keyPrefix: string | undefined;
let keyCount = 0;

/**
 * Checks a publication and writes it out, so that what the caller does to the message afterwards changes nothing.
 *
 * @throws InvalidChannelError, InvalidMessageError, InvalidArgumentError
 */
export function toCommand(
  channels: readonly ChannelName[],
  message: Message,
  options: PublishOptions | undefined,
  maxMessageBytes: number,
): PublishCommand {
  let parsed = assertMessage(message);
  if (parsed.type !== 'event' && parsed.spreadMs === 0) {
    const { spreadMs, ...others } = parsed; // it has told the policy; readers take none for 0
    parsed = others;
  }
  const key = options?.idempotencyKey;
  let fields = `"idempotency_key":${key === undefined ? `"${nextKey()}"` : JSON.stringify(key)}`;
  if (options?.skipHistory) {
    if (parsed.type !== 'event')
      throw new InvalidArgumentError('skipHistory is only for events: an invalidation must reach those who rejoin.');
    fields += ',"skip_history":true';
  }
  const names = channels.map(parseChannelName);
  return {
    channels: names.length === 1 ? names : [...new Set(names)],
    fields,
    data: serialize(parsed, maxMessageBytes),
    tags: options?.tags,
  };
}

function nextKey(): string {
  keyPrefix ??= crypto.randomUUID();
  keyCount += 1;
  return `${keyPrefix}-${keyCount}`;
}

/**
 * A message as JSON text.
 *
 * @throws InvalidMessageError where it cannot be written as JSON, or is larger than `maxMessageBytes`
 */
export function serialize(message: Message, maxMessageBytes: number): string {
  let text: string;
  try {
    text = JSON.stringify(message);
  } catch {
    // The error's own text would show data of the message.
    throw new InvalidMessageError('The message cannot be written as JSON: it has a cycle or a BigInt.');
  }
  // UTF-8 has one to three bytes per UTF-16 unit, so most messages need not be encoded to be measured.
  if (text.length > maxMessageBytes || text.length * 3 > maxMessageBytes) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > maxMessageBytes)
      throw new InvalidMessageError(
        `A message has at most ${maxMessageBytes} bytes, got ${bytes}. Publish what changed, not the data: every subscriber gets a copy.`,
      );
  }
  return text;
}
