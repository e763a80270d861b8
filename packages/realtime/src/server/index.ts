/**
 * Publishes, asks the broker, and signs tokens.
 *
 * Imported on servers and edge runtimes, and never by what a browser loads.
 *
 * @module
 */

export { type ChannelName, Channels, defineChannels, encodeChannelId } from '../core/channel.ts';
export {
  BrokerError,
  ConfigError,
  ErrorCode,
  InvalidArgumentError,
  InvalidChannelError,
  InvalidMessageError,
  RealtimeError,
} from '../core/errors.ts';
export type { Message } from '../core/message.ts';
export type { Position } from '../core/position.ts';
export type { RealtimeOptions } from './config.ts';
export { createRealtime } from './create-realtime.ts';
export { realtime } from './default-realtime.ts';
export { ApiTimeoutError, ApiUnauthorizedError, ApiUnavailableError } from './errors.ts';
export type { PublishOptions } from './publication.ts';
export type { PublishOutcome } from './publish-command.ts';
export type { PublishObserver, PublishReport } from './publish-report.ts';
export type {
  CallOptions,
  DisconnectOptions,
  History,
  HistoryOptions,
  HistoryPublication,
  PresenceStats,
  PresentClient,
  PublishResult,
  Realtime,
} from './realtime.ts';
export type { ScopeSpread, SpreadOptions, SpreadPolicy } from './spread.ts';
export type {
  ChannelTokenRequest,
  ChannelTokensRequest,
  ConnectionTokenRequest,
  IssuedGrant,
} from './tokens.ts';
