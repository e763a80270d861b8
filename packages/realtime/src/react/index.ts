/**
 * The provider, and hooks for channels, presence, freshness and the connection's state.
 *
 * Imported by React components.
 *
 * @module
 */

'use client';

export type { QueryFreshness } from '../query/query-freshness.ts';
export type { ChannelHandlers, ChannelStatus } from './channel-store.ts';
export type { Presence } from './presence-store.ts';
export { RealtimeProvider, type RealtimeProviderProps } from './RealtimeProvider.tsx';
export { useChannel } from './use-channel.ts';
export { useFreshness } from './use-freshness.ts';
export { type PresenceOptions, usePresence } from './use-presence.ts';
export { useRealtime, useRealtimeStatus } from './use-realtime-status.ts';
