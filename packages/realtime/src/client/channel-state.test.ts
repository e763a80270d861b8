import { describe, expect, it } from 'vitest';
import { type ChannelEvent, type ChannelState, isCovered, isFinal, nextChannelState } from './channel-state.ts';

/** Every state × every event, written out. `-` is "nothing changes". */
const EVENTS: ChannelEvent[] = ['ask', 'join', 'drop', 'refuse', 'end', 'permit'];
const EXPECTED: Record<ChannelState, string> = {
  //       ask     join   drop    refuse  end   permit
  waiting: 'joining joined -       refused ended -',
  joining: '-       joined -       refused ended -',
  joined: ' -       -      dropped refused ended -',
  dropped: '-       joined -       refused ended -',
  refused: '-       joined -       -       -     waiting',
  ended: '  -       joined -       -       -     waiting',
};

const rows = (Object.keys(EXPECTED) as ChannelState[]).flatMap((state) => {
  const cells = EXPECTED[state].trim().split(/\s+/);
  return EVENTS.map((event, at) => ({ state, event, next: cells[at] === '-' ? state : cells[at] }));
});

describe('the states of a channel', () => {
  it('are written out for every event', () => {
    expect(rows).toHaveLength(6 * EVENTS.length);
    for (const row of rows) expect(row.next, `${row.state} × ${row.event}`).toBeTypeOf('string');
  });

  it.each(rows)('$state × $event → $next', ({ state, event, next }) => {
    expect(nextChannelState(state, event)).toBe(next);
  });

  it('cover publications only when joined, and are final only when refused or ended', () => {
    const states = Object.keys(EXPECTED) as ChannelState[];
    expect(states.filter(isCovered)).toEqual(['joined']);
    expect(states.filter(isFinal)).toEqual(['refused', 'ended']);
  });
});
