import { type ChannelName, isChannelName } from '../core/channel.ts';
import { isRecord } from '../core/is-record.ts';
import { parseMessage } from '../core/message.ts';
import { parsePosition } from '../core/position.ts';
import {
  type AnswerMeta,
  MAX_CHANNELS_PER_ANSWER,
  MAX_GRANT_LENGTH,
  MAX_SPREAD_MS,
  META_VERSION,
  type TouchedChannel,
  type WatchedChannel,
} from './metadata.ts';

/**
 * Parses the metadata of an answer. A list with one malformed entry makes all of it `null`: data bound to half of its channels would be called live wrongly.
 * A malformed position counts as unknown, and a touched channel with a message of an unknown type is skipped, as such a publication would be.
 */
export function parseMeta(value: unknown): AnswerMeta | null {
  if (!isRecord(value) || value.v !== META_VERSION) return null;
  const channels = parseList(value.watch, (entry, channel): WatchedChannel => {
    const { grant } = entry;
    return {
      channel,
      stamp: parsePosition(entry),
      grant: typeof grant === 'string' && grant.length <= MAX_GRANT_LENGTH ? grant : null,
    };
  });
  const touched = parseList(value.touch, (entry, channel): TouchedChannel | null => {
    const { message = { type: 'channel-invalidation' } } = entry;
    const parsed = parseMessage(message);
    return parsed.ok ? { channel, position: parsePosition(entry), message: parsed.message } : null;
  });
  const { id, spread } = value;
  return (
    channels &&
    touched && {
      requestId: typeof id === 'string' || id === true ? id : null,
      channels,
      touched,
      ...(typeof spread === 'number' && spread > 0 && spread <= MAX_SPREAD_MS && { lostHistorySpreadMs: spread }),
    }
  );
}

function parseList<T>(
  list: unknown,
  parse: (entry: Record<string, unknown>, channel: ChannelName) => T | null,
): readonly T[] | null {
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length > MAX_CHANNELS_PER_ANSWER) return null;
  const parsed: T[] = [];
  for (const entry of list) {
    if (!isRecord(entry) || !isChannelName(entry.channel)) return null;
    const item = parse(entry, entry.channel);
    if (item) parsed.push(item);
  }
  return parsed;
}
