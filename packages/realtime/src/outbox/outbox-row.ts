import { type ChannelName, isChannelName } from '../core/channel.ts';
import { type Message, parseMessage } from '../core/message.ts';

/** A row as the relay works with it. */
export interface OutboxRow {
  readonly id: string;
  /** The idempotency key. */
  readonly key: string;
  /** As written; only a well-formed one can be published to. */
  readonly channel: string;
  /** The message, or why the row holds none. */
  readonly content: { readonly message: Message } | { readonly reason: string };
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** How long ago it was written, by the database's clock. */
  readonly ageMs: number;
}

/** A row that may be published. */
export interface SoundRow extends OutboxRow {
  readonly channel: ChannelName;
  readonly content: { readonly message: Message };
}

/** Reads what came out of the table, where anybody may have written. */
export function parseRow(values: Readonly<Record<string, unknown>>): OutboxRow {
  const { id, key, channel, message, tags, age_ms: ageMs } = values;
  return {
    id: String(id),
    key: String(key),
    channel: String(channel),
    content: parseContent(message),
    tags: parseTags(tags),
    ageMs: Math.max(0, Number(ageMs) || 0),
  };
}

export function isSound(row: OutboxRow): row is SoundRow {
  return isChannelName(row.channel) && 'message' in row.content;
}

/** Why a row can never be published. */
export function faultOf({ channel, content }: OutboxRow): string {
  if ('reason' in content) return content.reason;
  return isChannelName(channel) ? 'nothing' : 'the channel is not a channel name of this library';
}

function parseContent(text: unknown): OutboxRow['content'] {
  // The query leaves it out.
  if (typeof text !== 'string') return { reason: 'the message is too large' };
  const value = parseJson(text);
  if (value === undefined) return { reason: 'the message is not JSON' };
  const parsed = parseMessage(value);
  return parsed.ok ? { message: parsed.message } : { reason: `not a message: ${parsed.reason}` };
}

/** Tags are a nicety: what cannot be read costs nobody the announcement. */
function parseTags(text: unknown): Readonly<Record<string, string>> | undefined {
  const value = typeof text === 'string' ? parseJson(text) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, tag]) => typeof tag === 'string'));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
