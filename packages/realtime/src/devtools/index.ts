'use client';

export type { DevtoolsPosition, LauncherOptions } from './launcher.ts';
export { type MountOptions, mountRealtimeDevtools } from './mount.ts';
export {
  RealtimeDevtools,
  RealtimeDevtoolsPanel,
  type RealtimeDevtoolsPanelProps,
  type RealtimeDevtoolsProps,
} from './RealtimeDevtools.tsx';
export type { DevtoolsTheme } from './styles.ts';
