/**
 * One channel as the client sees it.
 * - `waiting`: wanted; its permission is not known yet.
 * - `joining`: a permission is being fetched, or the broker was asked.
 * - `joined`: covered, every publication arrives.
 * - `dropped`: was joined; the transport is rejoining.
 * - `refused`, `ended`: not allowed, or taken away by the broker; final until a new permission.
 */
export type ChannelState = 'waiting' | 'joining' | 'joined' | 'dropped' | 'refused' | 'ended';

/**
 * - `ask`: a permission is being fetched, or the broker was asked. `join`: the broker let us in.
 * - `drop`: coverage is lost, the transport tries again. `refuse`: not allowed. `end`: the broker ended it.
 * - `permit`: a new permission came, or the connection was made anew.
 */
export type ChannelEvent = 'ask' | 'join' | 'drop' | 'refuse' | 'end' | 'permit';

type Row = { readonly [E in ChannelEvent]?: ChannelState };

const final: Row = { permit: 'waiting', join: 'joined' };

/** The only place where a channel's state changes. An event that a row does not name changes nothing. */
const TABLE: { readonly [S in ChannelState]: Row } = {
  waiting: { ask: 'joining', join: 'joined', refuse: 'refused', end: 'ended' },
  joining: { join: 'joined', refuse: 'refused', end: 'ended' },
  joined: { drop: 'dropped', refuse: 'refused', end: 'ended' },
  dropped: { join: 'joined', refuse: 'refused', end: 'ended' },
  refused: final,
  ended: final,
};

export function nextChannelState(state: ChannelState, event: ChannelEvent): ChannelState {
  return TABLE[state][event] ?? state;
}

/** Whether every publication of the channel arrives. */
export function isCovered(state: ChannelState): boolean {
  return state === 'joined';
}

/** Whether nothing more happens without a new permission. */
export function isFinal(state: ChannelState): boolean {
  return state === 'refused' || state === 'ended';
}
