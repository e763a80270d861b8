import type { ConnectionState } from './types.ts';

/**
 * What may happen to a connection.
 * - `need`: something wants a connection. `release`: nothing does any more, and the grace is over.
 * - `open`: the broker accepted the connection. `drop`: it was lost, or an attempt failed; the transport tries again.
 * - `late`: no connection for `pollingAfterMs`.
 * - `refuse`: no token for this user, or the broker refused it. `fail`: the broker closed it for good.
 * - `retry`: `reconnect()` was called. `dispose`: the end.
 */
export type ConnectionEvent = 'need' | 'release' | 'open' | 'drop' | 'late' | 'refuse' | 'fail' | 'retry' | 'dispose';

type Row = { readonly [E in Exclude<ConnectionEvent, 'dispose'>]?: ConnectionState };

const lost: Row = { release: 'idle', open: 'connected', refuse: 'unauthorized', fail: 'failed' };

/** The only place where the connection's state changes. An event that a row does not name changes nothing. */
const TABLE: { readonly [S in ConnectionState]: Row } = {
  idle: { need: 'connecting' },
  connecting: { ...lost, drop: 'reconnecting', late: 'polling' },
  connected: { release: 'idle', drop: 'reconnecting', retry: 'reconnecting', refuse: 'unauthorized', fail: 'failed' },
  reconnecting: { ...lost, late: 'polling' },
  polling: lost,
  // Final until reconnect(): neither a new subscription nor the end of the last one starts another attempt.
  unauthorized: { retry: 'idle' },
  failed: { retry: 'idle' },
  disposed: {},
};

export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return event === 'dispose' ? 'disposed' : (TABLE[state][event] ?? state);
}
