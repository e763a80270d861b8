/**
 * A panel that shows the connection, the channels, and why each query was refetched. Nothing of it is in a production build.
 *
 * Imported by the app's root component, or by its entry file.
 *
 * @module
 */

'use client';

export type { DevtoolsPosition, LauncherOptions } from './launcher.ts';
export { type MountOptions, mountRealtimeDevtools } from './mount.ts';
export {
  RealtimeDevtools,
  RealtimeDevtoolsPanel,
  type RealtimeDevtoolsPanelProps,
  type RealtimeDevtoolsProps,
} from './RealtimeDevtools.tsx';
export { type RealtimeDevtoolsPlugin, realtimeDevtoolsPlugin } from './realtime-devtools-plugin.tsx';
export type { DevtoolsTheme } from './styles.ts';
