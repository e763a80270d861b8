import { RealtimeError } from './realtime-error.ts';

export {
  BrokerError,
  ChannelRefusedError,
  DisconnectedError,
} from './connection-errors.ts';
export { ErrorCode, RealtimeError } from './realtime-error.ts';
export {
  AlreadyInitializedError,
  ConfigError,
  InvalidChannelError,
  NotInitializedError,
  UnauthorizedError,
} from './usage-errors.ts';

/** A message that is none of the known shapes. Code `invalid_message`. */
export class InvalidMessageError extends RealtimeError {
  override readonly name = 'InvalidMessageError';
  constructor(message: string) {
    super('invalid_message', message);
  }
}

/** An argument that the call cannot work with. Code `invalid_argument`. */
export class InvalidArgumentError extends RealtimeError {
  override readonly name = 'InvalidArgumentError';
  constructor(message: string) {
    super('invalid_argument', message);
  }
}
