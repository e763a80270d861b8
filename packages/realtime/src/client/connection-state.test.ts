import { describe, expect, it } from 'vitest';
import { type ConnectionEvent, nextConnectionState } from './connection-state.ts';
import type { ConnectionState } from './types.ts';

/** Every state × every event, written out. `-` is "nothing changes". */
const EVENTS: ConnectionEvent[] = ['need', 'release', 'open', 'drop', 'late', 'refuse', 'fail', 'retry', 'dispose'];
const EXPECTED: Record<ConnectionState, string> = {
  //            need       release open      drop         late    refuse       fail   retry        dispose
  idle: '        connecting -       -         -            -       -            -      -            disposed',
  connecting: '  -          idle    connected reconnecting polling unauthorized failed -            disposed',
  connected: '   -          idle    -         reconnecting -       unauthorized failed reconnecting disposed',
  reconnecting: '-          idle    connected -            polling unauthorized failed -            disposed',
  polling: '     -          idle    connected -            -       unauthorized failed -            disposed',
  unauthorized: '-          -       -         -            -       -            -      idle         disposed',
  failed: '      -          -       -         -            -       -            -      idle         disposed',
  disposed: '    -          -       -         -            -       -            -      -            -',
};

const rows = (Object.keys(EXPECTED) as ConnectionState[]).flatMap((state) => {
  const cells = EXPECTED[state].trim().split(/\s+/);
  return EVENTS.map((event, at) => ({ state, event, next: cells[at] === '-' ? state : cells[at] }));
});

describe('the states of a connection', () => {
  it('are written out for every event', () => {
    expect(rows).toHaveLength(8 * EVENTS.length);
    for (const row of rows) expect(row.next, `${row.state} × ${row.event}`).toBeTypeOf('string');
  });

  it.each(rows)('$state × $event → $next', ({ state, event, next }) => {
    expect(nextConnectionState(state, event)).toBe(next);
  });
});
