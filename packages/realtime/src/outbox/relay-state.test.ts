import { describe, expect, it } from 'vitest';
import { hasLock, nextRelayStep, type RelayEvent, type RelayState } from './relay-state.ts';

const EVENTS: RelayEvent[] = [
  ...(['opened', 'unopened', 'locked', 'refused', 'emptied', 'more', 'failed'] as const),
  ...(['broken', 'closed', 'notified', 'lost', 'due', 'stop'] as const),
];

/** Every state × every event, written out: the next state, and behind the slash what begins with it. `-` is "nothing changes". */
const EXPECTED: Record<RelayState, string> = {
  // opened unopened locked refused emptied more failed broken closed notified lost due stop
  connecting: 'locking/lock disconnected/reconnect - - - - - - - - - - stopping/',
  disconnected: '- - - - - - - - - - - connecting/open stopped/',
  locking: '- - draining/drain standby/poll - - - disconnected/reconnect - - breaking/ - stopping/',
  standby: '- - - - - - - - - - disconnected/reconnect locking/lock closing/close',
  draining: '- - - - idle/poll draining/drain waiting/back-off disconnected/reconnect - woken/ breaking/ - stopping/',
  woken: '- - - - draining/drain draining/drain waiting/back-off disconnected/reconnect - - breaking/ - stopping/',
  idle: '- - - - - - - - - draining/drain disconnected/reconnect draining/drain closing/close',
  waiting: '- - - - - - - - - - disconnected/reconnect draining/drain closing/close',
  breaking:
    '- - disconnected/reconnect disconnected/reconnect disconnected/reconnect disconnected/reconnect disconnected/reconnect disconnected/reconnect - - - - stopping/',
  stopping:
    'closing/close stopped/ closing/close closing/close closing/close closing/close closing/close closing/close - - - - -',
  closing: '- - - - - - - - stopped/ - - - -',
  stopped: '- - - - - - - - - - - - -',
};

const rows = (Object.keys(EXPECTED) as RelayState[]).flatMap((state) => {
  const cells = EXPECTED[state].split(' ');
  return EVENTS.map((event, at) => ({ state, event, next: cells[at] === '-' ? `${state}/` : (cells[at] ?? '') }));
});

describe('the states of a relay', () => {
  it('are written out for every event', () => {
    expect(rows).toHaveLength(12 * EVENTS.length);
    for (const state of Object.values(EXPECTED)) expect(state.split(' ')).toHaveLength(EVENTS.length);
  });

  it.each(rows)('$state × $event → $next', ({ state, event, next }) => {
    const step = nextRelayStep(state, event);
    expect(`${step.state}/${step.action ?? ''}`).toBe(next);
  });

  it('have the lock exactly between locking and the loss of the connection', () => {
    const states = Object.keys(EXPECTED) as RelayState[];
    expect(states.filter(hasLock)).toEqual(['draining', 'woken', 'idle', 'waiting']);
  });

  it('always come to stopped: from every state, once told to stop and what is under way has ended', () => {
    for (const state of Object.keys(EXPECTED) as RelayState[]) {
      let now = nextRelayStep(state, 'stop').state;
      for (const event of EVENTS) now = nextRelayStep(now, event).state;
      for (const event of EVENTS) now = nextRelayStep(now, event).state;
      expect(now, state).toBe('stopped');
    }
  });
});
