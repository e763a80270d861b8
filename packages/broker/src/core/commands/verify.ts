import type { Session } from '../session.ts';
import {
  type ConnectClaims,
  readConnectToken,
  readSubscribeToken,
  type SubscribeToken,
  type TokenFault,
  type TokenKind,
} from '../token-claims.ts';
import type { TokenSettings } from '../token-options.ts';

/** Runs `then` with the value, at once if it is there already: HMAC tokens are checked without a turn of the event loop. */
export function whenKnown<T>(
  value: T | Promise<T>,
  then: (value: T) => Promise<void> | undefined,
): Promise<void> | undefined {
  return value instanceof Promise ? value.then(then) : then(value);
}

function verify<T>(
  session: Session,
  kind: TokenKind,
  token: string,
  read: (text: string, options: TokenSettings, nowMs: number) => T | TokenFault,
): T | TokenFault | Promise<T | TokenFault> {
  const { client } = session.engine.settings;
  const options = kind === 'subscription' ? (client.subscriptionToken ?? client.token) : client.token;
  const readClaims = (text: string | undefined) =>
    text === undefined ? 'invalid' : read(text, options, session.engine.nowMs);
  const claims = session.engine.verifier.verify(kind, token);
  return claims instanceof Promise ? claims.then(readClaims) : readClaims(claims);
}

export function verifyConnectToken(
  session: Session,
  token: string,
): ConnectClaims | TokenFault | Promise<ConnectClaims | TokenFault> {
  return verify(session, 'connection', token, readConnectToken);
}

export function verifySubscribeToken(
  session: Session,
  token: string,
): SubscribeToken | TokenFault | Promise<SubscribeToken | TokenFault> {
  return verify(session, 'subscription', token, readSubscribeToken);
}
