import { describe, expect, it } from 'vitest';
import { ON_CLIENT, ON_SERVER, type SessionState } from './session-state.ts';

const STATES: readonly SessionState[] = ['waiting', 'connecting', 'connected', 'refused', 'closed'];

describe('session states', () => {
  it.each(STATES)('has an answer to everything in %s', (state) => {
    expect(Object.keys(ON_CLIENT[state]).sort()).toEqual(['command', 'connect', 'pong']);
    expect(Object.keys(ON_SERVER[state]).sort()).toEqual(['accepted', 'closed', 'rejected']);
  });

  it('never leaves closed', () => {
    expect(new Set([...Object.values(ON_CLIENT.closed), ...Object.values(ON_SERVER.closed)])).toEqual(
      new Set(['closed']),
    );
  });

  it('closes from everywhere', () => {
    for (const state of STATES) expect(ON_SERVER[state].closed).toBe('closed');
  });

  it('becomes connected by an accepted connect command only', () => {
    const ways = STATES.flatMap((state) => [
      ...Object.entries(ON_CLIENT[state]).map(([event, next]) => [state, event, next]),
      ...Object.entries(ON_SERVER[state]).map(([event, next]) => [state, event, next]),
    ]).filter(([state, , next]) => next === 'connected' && state !== 'connected');
    expect(ways).toEqual([['connecting', 'accepted', 'connected']]);
  });

  it('takes commands and pongs of connected clients only, and a second connect of nobody', () => {
    for (const state of ['waiting', 'connecting'] as const) {
      expect(ON_CLIENT[state].command).toBe('breach');
      expect(ON_CLIENT[state].pong).toBe('breach');
    }
    expect(ON_CLIENT.connected.connect).toBe('breach');
    expect(ON_CLIENT.connecting.connect).toBe('breach');
  });

  it('does not look at what a refused client sends', () => {
    expect(new Set(Object.values(ON_CLIENT.refused))).toEqual(new Set(['refused']));
  });
});
