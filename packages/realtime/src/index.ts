export {
  type ChannelBuilder,
  type ChannelBuilders,
  type ChannelDefinition,
  type ChannelDelivery,
  type ChannelId,
  type ChannelName,
  Channels,
  decodeChannelId,
  defineChannels,
  encodeChannelId,
  isChannelName,
  parseChannelName,
} from './core/channel.ts';
export {
  type DefinedEvent,
  type DefinedEvents,
  defineEvents,
  type EventSchemas,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from './core/define-events.ts';
export {
  AlreadyInitializedError,
  BrokerError,
  ChannelRefusedError,
  ConfigError,
  DisconnectedError,
  ErrorCode,
  InvalidArgumentError,
  InvalidChannelError,
  InvalidMessageError,
  NotInitializedError,
  RealtimeError,
  UnauthorizedError,
} from './core/errors.ts';
export { matchesQuery } from './core/matches-query.ts';
export {
  type ChannelInvalidation,
  type EventMessage,
  type Message,
  type ParsedMessage,
  parseMessage,
  type QueryInvalidation,
  type QueryKey,
} from './core/message.ts';
export { isSamePosition, type Position, parsePosition } from './core/position.ts';
