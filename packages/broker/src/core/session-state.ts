/**
 * The life of a session:
 *
 * ```
 * waiting ──connect──▶ connecting ──accepted──▶ connected ──▶ closed
 *                          └──────rejected──▶ refused ──────────┘
 * ```
 */
export type SessionState =
  /** Open, no connect command yet. */
  | 'waiting'
  /** The connect command is being looked at. */
  | 'connecting'
  | 'connected'
  /** The connect command got an error reply; whatever comes is not looked at. */
  | 'refused'
  | 'closed';

/** What a client sends: a connect command, an empty command, or any other. */
export type ClientEvent = 'connect' | 'pong' | 'command';
/** What becomes of its connect command, and of the connection. */
type ServerEvent = 'accepted' | 'rejected' | 'closed';

/** `breach`: the client breaks the protocol and is closed with 3501. */
export const ON_CLIENT: Readonly<Record<SessionState, Readonly<Record<ClientEvent, SessionState | 'breach'>>>> = {
  waiting: { connect: 'connecting', pong: 'breach', command: 'breach' },
  connecting: { connect: 'breach', pong: 'breach', command: 'breach' },
  connected: { connect: 'breach', pong: 'connected', command: 'connected' },
  refused: { connect: 'refused', pong: 'refused', command: 'refused' },
  closed: { connect: 'closed', pong: 'closed', command: 'closed' },
};

export const ON_SERVER: Readonly<Record<SessionState, Readonly<Record<ServerEvent, SessionState>>>> = {
  waiting: { accepted: 'waiting', rejected: 'refused', closed: 'closed' },
  connecting: { accepted: 'connected', rejected: 'refused', closed: 'closed' },
  connected: { accepted: 'connected', rejected: 'refused', closed: 'closed' },
  refused: { accepted: 'refused', rejected: 'refused', closed: 'closed' },
  closed: { accepted: 'closed', rejected: 'closed', closed: 'closed' },
};
