import { RealtimeError } from './realtime-error.ts';

// A file of its own, because only the lazily loaded part of the client needs these: bundlers split by file.

/** The broker refuses a channel to this user. Code `channel_refused`. */
export class ChannelRefusedError extends RealtimeError {
  override readonly name = 'ChannelRefusedError';
  /** The channel that is refused. */
  readonly channel: string;
  /** Centrifugo's error or unsubscribe code (103 permission denied, 106 limit …); `null` where no broker was asked. */
  readonly brokerCode: number | null;
  constructor(channel: string, reason: string, brokerCode: number | null = null) {
    super('channel_refused', `Channel ${channel} is refused: ${reason}.`);
    this.channel = channel;
    this.brokerCode = brokerCode;
  }
}

/** The broker answered a call with an error. Code `broker_error`; `brokerCode` is Centrifugo's number. */
export class BrokerError extends RealtimeError {
  override readonly name = 'BrokerError';
  /** Centrifugo's error code: 102 unknown channel, 103 permission denied, 108 not available, … https://centrifugal.dev/docs/server/codes */
  readonly brokerCode: number;
  constructor(brokerCode: number, message: string) {
    super('broker_error', `The broker answered ${brokerCode}: ${message}`);
    this.brokerCode = brokerCode;
  }
}

/** The connection is down: closed by the broker, lost, or not yet there. Code `disconnected`. */
export class DisconnectedError extends RealtimeError {
  override readonly name = 'DisconnectedError';
  /** Centrifugo's disconnect code (3001 shutdown, 3503 force disconnect …); `null` where the network or this side ended it. */
  readonly brokerCode: number | null;
  constructor(reason: string, brokerCode: number | null = null) {
    super('disconnected', brokerCode ? `The broker closed the connection (${brokerCode}): ${reason}` : reason);
    this.brokerCode = brokerCode;
  }
}
