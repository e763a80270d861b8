import { h } from './element.ts';
import { type LauncherOptions, mountLauncher } from './launcher.ts';
import { Panel } from './panel.ts';
import type { Recorder } from './recorder.ts';
import { sharedRecorder } from './shared-recorder.ts';
import { attachStyles, type DevtoolsTheme } from './styles.ts';

/** Options of `mountRealtimeDevtools`. */
export interface MountOptions extends LauncherOptions {
  /** @default one per page */
  readonly recorder?: Recorder | undefined;
}

/** The devtools without any framework: the button in its corner. Returns the end of it. For a browser; call it before anything happens that shall be seen. */
export function mountRealtimeDevtools({ recorder = sharedRecorder(), ...options }: MountOptions = {}): () => void {
  return mountLauncher(recorder, options);
}

/** The panel alone, as large as `container`. Returns the end of it. */
export function mountPanel(
  container: HTMLElement,
  {
    theme,
    recorder = sharedRecorder(),
  }: { readonly theme?: DevtoolsTheme | undefined; readonly recorder?: Recorder } = {},
): () => void {
  const host = h('div', { 'data-op-realtime-devtools': '', style: 'display: block; height: 100%' });
  const root = host.attachShadow({ mode: 'open' });
  attachStyles(root, host, theme);
  host.style.setProperty('display', 'block');
  host.style.setProperty('height', '100%');
  const panel = new Panel(recorder);
  root.append(panel.element);
  container.append(host);
  return () => {
    panel.dispose();
    host.remove();
  };
}
