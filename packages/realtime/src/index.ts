/**
 * Channels, messages and errors: what both ends share. It needs neither a browser nor Node.
 *
 * Imported by server code, by client code, and by the file that declares an app's channels.
 *
 * @module
 */

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
