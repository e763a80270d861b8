import { BrokerError, DisconnectedError, type RealtimeError, UnauthorizedError } from '../core/errors.ts';
import { BrokerCode, FIRST_BROKER_CODE } from './broker-codes.ts';
import type { ConnectionEvent } from './connection-state.ts';

/** What a connection's end means, and why. */
interface ConnectionEnd {
  readonly event: Extract<ConnectionEvent, 'refuse' | 'fail'>;
  readonly reason: RealtimeError;
  /** Nobody is to be told but who looks at the status: it is an ordinary state. */
  readonly isOrdinary: boolean;
}

/**
 * What it means that the broker, or the SDK, ended the connection for good.
 * @param fault why there is no token, where that is so
 */
export function connectionEnd(code: number, reason: string, fault: RealtimeError | null): ConnectionEnd {
  // "Nobody is logged in" is an ordinary state, and no fault to report.
  if (code === BrokerCode.Unauthorized)
    return { event: 'refuse', reason: fault ?? new UnauthorizedError(), isOrdinary: true };
  if (code === BrokerCode.InvalidToken)
    return {
      event: 'refuse',
      reason: new UnauthorizedError(
        `The broker refused a token (${code}): is it signed with the broker's secret? After a login call reconnect().`,
      ),
      isOrdinary: false,
    };
  return { event: 'fail', reason: new DisconnectedError(reason, code), isOrdinary: false };
}

/** Why a connection that is being tried again was lost. Codes of the SDK's own are no code of the broker's. */
export function dropReason(code: number, reason: string): DisconnectedError {
  return new DisconnectedError(reason, code >= FIRST_BROKER_CODE ? code : null);
}

/** Why an attempt failed, after which another one follows. */
export function attemptFailure(code: number, reason: string): RealtimeError {
  return code >= FIRST_BROKER_CODE ? new BrokerError(code, reason) : new DisconnectedError(reason);
}
