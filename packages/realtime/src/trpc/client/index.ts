/**
 * The link that learns from each answer which channels it depends on.
 *
 * Imported where the tRPC client is made.
 *
 * @module
 */

export { type Announcement, type RealtimeLinkOptions, realtimeLink } from './realtime-link.ts';
