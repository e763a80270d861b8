/**
 * The connection of a tab: subscriptions, grants, presence, publishing.
 *
 * Imported by the file that configures the browser's side; in Node it brings a WebSocket where the runtime has none.
 *
 * @module
 */

export type {
  ChannelJoined,
  ChannelLost,
  ManagerEvent,
  PublicationArrived,
  RealtimeEvent,
  RealtimeObserver,
  StatusChanged,
} from '../core/events.ts';
export { RealtimeError } from '../core/realtime-error.ts';
export { UnauthorizedError } from '../core/usage-errors.ts';
export { RealtimeManager } from './realtime-manager.ts';
export type {
  ChannelEvents,
  JoinOptions,
  Transport,
  TransportConfig,
  TransportEvents,
  TransportFactory,
  TransportJoin,
  TransportPublication,
} from './transport.ts';
export type {
  ChannelGrant,
  ChannelHistory,
  ChannelJoin,
  ChannelLoss,
  ChannelTokens,
  ConnectionState,
  HistoryOptions,
  MessageHandler,
  PresenceStats,
  PresentClient,
  Publication,
  RealtimeClient,
  RealtimeConfig,
  RealtimeStatus,
  SubscribeOptions,
  Unsubscribe,
  WebSocketConstructor,
} from './types.ts';
