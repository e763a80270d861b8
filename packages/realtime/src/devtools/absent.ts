'use client';

import type { MountOptions } from './mount.ts';
import type { RealtimeDevtoolsPanelProps, RealtimeDevtoolsProps } from './RealtimeDevtools.tsx';
import type { RealtimeDevtoolsPlugin } from './realtime-devtools-plugin.tsx';

/**
 * What `@op/realtime/devtools` is in a production build: nothing. Bundlers take the devtools themselves only under the export condition `development`;
 * `@op/realtime/devtools/production` is always they.
 */
export function RealtimeDevtools(_props: RealtimeDevtoolsProps): null {
  return null;
}

export function RealtimeDevtoolsPanel(_props: RealtimeDevtoolsPanelProps): null {
  return null;
}

export function realtimeDevtoolsPlugin(): Pick<RealtimeDevtoolsPlugin, 'id' | 'name'> & {
  readonly render: () => null;
} {
  return { id: 'op-realtime', name: 'Realtime', render: () => null };
}

export function mountRealtimeDevtools(_options?: MountOptions): () => void {
  return () => {};
}
