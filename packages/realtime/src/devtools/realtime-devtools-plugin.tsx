import type { ReactElement } from 'react';
import { RealtimeDevtoolsPanel } from './RealtimeDevtools.tsx';
import { sharedRecorder } from './shared-recorder.ts';

/** What `plugins` of TanStack Devtools takes. */
export interface RealtimeDevtoolsPlugin {
  /** By it the devtools remember which plugin was open. */
  readonly id: string;
  /** On its tab. */
  readonly name: string;
  /** Draws the panel into the tab's element. */
  readonly render: (element: HTMLElement, props: { readonly theme: 'light' | 'dark' }) => ReactElement;
}

/**
 * The panel as a plugin of TanStack Devtools, in their colours. They draw a plugin only while it is shown; recording begins with this call all the same, and does not
 * end. So call it once, where modules are loaded and not where components render.
 *
 * ```tsx
 * const plugins = [realtimeDevtoolsPlugin()];
 * <TanStackDevtools plugins={plugins} />
 * ```
 */
export function realtimeDevtoolsPlugin(): RealtimeDevtoolsPlugin {
  if (typeof document !== 'undefined') sharedRecorder().hold();
  return {
    id: 'op-realtime',
    name: 'Realtime',
    render: (_element, { theme }) => <RealtimeDevtoolsPanel theme={theme} />,
  };
}
