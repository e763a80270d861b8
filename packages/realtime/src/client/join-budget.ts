/** Channels that one connection joins where nothing else is said: Centrifugo's `client.channel_limit`. */
export const MAX_CHANNELS = 128;
/** All subscribe commands of a reconnect travel in one frame with the connection token, and a frame over 64 KiB ends the connection for good. */
const MAX_JOIN_BYTES = 48 * 1_024;
/** What a subscribe command takes beside channel and token: its JSON, and a position to recover from. */
const JOIN_OVERHEAD_BYTES = 96;

export interface Join {
  readonly channel: string;
  /** The grant; `null` for a channel that the connection carries. */
  readonly token: string | null;
}

/** Whether a connection can carry these channels: their number, and the bytes that rejoining them takes. */
export function fitsJoinBudget(joins: Iterable<Join>, maxChannels: number): boolean {
  let channels = 0;
  let bytes = 0;
  for (const { channel, token } of joins) {
    channels++;
    if (token !== null) bytes += channel.length + token.length + JOIN_OVERHEAD_BYTES;
  }
  return channels <= maxChannels && bytes <= MAX_JOIN_BYTES;
}
