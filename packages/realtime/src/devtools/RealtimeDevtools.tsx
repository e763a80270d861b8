import { type ReactNode, useContext, useEffect, useRef } from 'react';
import { RealtimeContext } from '../react/realtime-context.ts';
import { type LauncherOptions, mountLauncher } from './launcher.ts';
import { mountPanel } from './mount.ts';
import { isObservable, type Recorder } from './recorder.ts';
import { sharedRecorder } from './shared-recorder.ts';
import type { DevtoolsTheme } from './styles.ts';

/** Options as of the mount. */
export type RealtimeDevtoolsProps = LauncherOptions;

/**
 * A small button in a corner that opens the devtools. Put it anywhere in the app; inside the `RealtimeProvider` it also knows a manager that has not connected yet.
 * Renders nothing on a server.
 */
export function RealtimeDevtools(props: RealtimeDevtoolsProps): ReactNode {
  const recorder = useRecorder();
  const options = useRef(props);
  useEffect(() => mountLauncher(recorder, options.current), [recorder]);
  return null;
}

/** Properties of `RealtimeDevtoolsPanel`. */
export interface RealtimeDevtoolsPanelProps {
  /** @default 'system' */
  readonly theme?: DevtoolsTheme | undefined;
}

/** The devtools alone, as large as the element around them: for a page of one's own, or as a plugin of TanStack Devtools. */
export function RealtimeDevtoolsPanel({ theme }: RealtimeDevtoolsPanelProps): ReactNode {
  const recorder = useRecorder();
  const container = useRef<HTMLDivElement>(null);
  useEffect(
    () => (container.current ? mountPanel(container.current, { theme, recorder }) : undefined),
    [recorder, theme],
  );
  return <div ref={container} style={{ height: '100%' }} />;
}

function useRecorder(): Recorder {
  const store = useContext(RealtimeContext);
  const recorder = sharedRecorder();
  useEffect(() => {
    const end = recorder.hold();
    if (store && isObservable(store.manager)) recorder.introduce(store.manager);
    return end;
  }, [recorder, store]);
  return recorder;
}
