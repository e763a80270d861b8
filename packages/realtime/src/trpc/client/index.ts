export { type Announcement, type RealtimeLinkOptions, realtimeLink } from './realtime-link.ts';
