/**
 * What a relay is doing.
 * - `connecting`: opening its connection to the database. `disconnected`: waits before it tries again.
 * - `locking`: asking whether another relay has the lock. `standby`: one has; asks again now and then.
 * - `draining`: reading rows, publishing and deleting them. `woken`: as well, and more rows were written meanwhile.
 * - `idle`: has the lock, and found no more rows. `waiting`: the broker takes nothing; tries again later.
 * - `breaking`: the connection is lost; what was under way comes to its end.
 * - `stopping`: told to stop; what was under way comes to its end. `closing`: giving back lock and connection. `stopped`: final.
 */
export type RelayState =
  | 'connecting'
  | 'disconnected'
  | 'locking'
  | 'standby'
  | 'draining'
  | 'woken'
  | 'idle'
  | 'waiting'
  | 'breaking'
  | 'stopping'
  | 'closing'
  | 'stopped';

/**
 * The end of what was under way:
 * - `opened`, `unopened`: the connection stands, or does not.
 * - `locked`, `refused`: the lock is ours, or another relay's.
 * - `emptied`, `more`, `failed`: all rows that were found are published; there may be more; the broker did not take some.
 * - `broken`: the database failed while locking or draining.
 * - `closed`: everything is given back.
 *
 * And what comes from outside: `notified` (rows were written), `lost` (the connection), `due` (the timer), `stop`.
 */
export type RelayEvent =
  | 'opened'
  | 'unopened'
  | 'locked'
  | 'refused'
  | 'emptied'
  | 'more'
  | 'failed'
  | 'broken'
  | 'closed'
  | 'notified'
  | 'lost'
  | 'due'
  | 'stop';

/** What to do on entering a state: begin something that ends with an event, or set the timer of that name. */
export type RelayAction = 'open' | 'lock' | 'drain' | 'close' | 'poll' | 'back-off' | 'reconnect' | null;

interface RelayStep {
  readonly state: RelayState;
  readonly action: RelayAction;
}

type Row = { readonly [E in RelayEvent]?: readonly [RelayState, RelayAction] };

const reconnect = ['disconnected', 'reconnect'] as const;
const close = ['closing', 'close'] as const;
const drain = ['draining', 'drain'] as const;
const breaking = ['breaking', null] as const;
const stopping = ['stopping', null] as const;

/** The only place where a relay's state changes. An event that a row does not name changes nothing. */
const TABLE: { readonly [S in RelayState]: Row } = {
  connecting: { opened: ['locking', 'lock'], unopened: reconnect, stop: stopping },
  disconnected: { due: ['connecting', 'open'], stop: ['stopped', null] },
  locking: { locked: drain, refused: ['standby', 'poll'], broken: reconnect, lost: breaking, stop: stopping },
  standby: { due: ['locking', 'lock'], lost: reconnect, stop: close },
  draining: {
    emptied: ['idle', 'poll'],
    more: drain,
    failed: ['waiting', 'back-off'],
    broken: reconnect,
    notified: ['woken', null],
    lost: breaking,
    stop: stopping,
  },
  // A row that was written during the last read may have been missed by it.
  woken: {
    emptied: drain,
    more: drain,
    failed: ['waiting', 'back-off'],
    broken: reconnect,
    lost: breaking,
    stop: stopping,
  },
  idle: { notified: drain, due: drain, lost: reconnect, stop: close },
  waiting: { due: drain, lost: reconnect, stop: close },
  breaking: {
    locked: reconnect,
    refused: reconnect,
    emptied: reconnect,
    more: reconnect,
    failed: reconnect,
    broken: reconnect,
    stop: stopping,
  },
  stopping: {
    opened: close,
    unopened: ['stopped', null],
    locked: close,
    refused: close,
    emptied: close,
    more: close,
    failed: close,
    broken: close,
  },
  closing: { closed: ['stopped', null] },
  stopped: {},
};

export function nextRelayStep(state: RelayState, event: RelayEvent): RelayStep {
  const [next, action] = TABLE[state][event] ?? [state, null];
  return { state: next, action };
}

/** Whether the relay has the lock, so that no other publishes. */
export function hasLock(state: RelayState): boolean {
  return state === 'draining' || state === 'woken' || state === 'idle' || state === 'waiting';
}
