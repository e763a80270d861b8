/**
 * What procedures watch and touch, and the two procedures that hand out tokens.
 *
 * Imported where tRPC is initialised, and by routers.
 *
 * @module
 */

export type { ScopeSpread, SpreadOptions, SpreadPolicy } from '../../server/spread.ts';
export { assertRealtimeRouter } from './assert-realtime-router.ts';
export type { ChannelDefinitions } from './channel-delivery.ts';
export { fromCache, noStamp } from './data-age.ts';
export type { Touch, Touches, WatchedChannels } from './declarations.ts';
export { base, touches, touching, watches, watching } from './default-procedures.ts';
export type { FaultKind, RealtimeFault } from './faults.ts';
export {
  type InitRealtimeOptions,
  initRealtime,
  type RealtimeProcedures,
  type ResolverOptions,
  type TouchContext,
  type TransactionOptions,
} from './init-realtime.ts';
export type { MiddlewareOptions, MiddlewareResult, RealtimeMiddleware } from './middleware-types.ts';
export { type PlainProcedureBuilder, type RealtimeRouterOptions, realtimeRouter } from './realtime-router.ts';
export {
  type HeadersLike,
  type RealtimeContext,
  type RealtimeContextOptions,
  type RealtimeRequest,
  type RequestInfo,
  realtimeContext,
} from './request.ts';
export { type ResponseMeta, type ResponseMetaOptions, realtimeResponseMeta } from './response-meta.ts';
