import { h, icon } from './element.ts';
import { overallState } from './overall-state.ts';
import { Panel } from './panel.ts';
import type { Recorder } from './recorder.ts';
import { attachStyles, type DevtoolsTheme } from './styles.ts';

/** The corner of the page that the button is in. */
export type DevtoolsPosition = 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';

/** Options of the button and of the panel that it opens. */
export interface LauncherOptions {
  /** The corner of the button. @default 'bottom-right' */
  readonly position?: DevtoolsPosition | undefined;
  /** Whether the panel is open where this browser remembers nothing. @default false */
  readonly initialIsOpen?: boolean | undefined;
  /** @default 'system' */
  readonly theme?: DevtoolsTheme | undefined;
}

const MEMORY = 'op-realtime-devtools';
const MIN_HEIGHT = 180;
const HEIGHT_STEP = 24;

interface Memory {
  readonly isOpen?: boolean;
  readonly height?: number;
}

/**
 * A small button in a corner of the page, and the panel that it opens along the lower edge. Lives in a shadow root: neither the page's styles nor these touch the
 * other. Returns the end of it.
 */
export function mountLauncher(
  recorder: Recorder,
  { position = 'bottom-right', initialIsOpen = false, theme }: LauncherOptions,
): () => void {
  const host = h('div', { 'data-op-realtime-devtools': '' });
  const root = host.attachShadow({ mode: 'open' });
  attachStyles(root, host, theme);
  const releaseRecorder = recorder.hold();
  const memory = read();
  let height = memory.height ?? 360;
  let panel: Panel | null = null;

  const button = h(
    'button',
    {
      class: 'launcher',
      type: 'button',
      'data-position': position,
      'aria-expanded': 'false',
      'aria-label': 'Open the realtime devtools',
      title: 'Realtime devtools',
      onclick: () => open(true),
    },
    icon('signal'),
    h('span', { class: 'lamp' }),
  );
  const lamp = button.lastElementChild as HTMLElement;
  const handle = h('div', {
    class: 'handle',
    role: 'separator',
    tabindex: 0,
    'aria-orientation': 'horizontal',
    'aria-label': 'Height of the devtools',
    onpointerdown: (event: PointerEvent) => drag(event),
    onkeydown: (event: KeyboardEvent) => {
      const step = { ArrowUp: HEIGHT_STEP, ArrowDown: -HEIGHT_STEP }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      setHeight(height + step);
      write({ isOpen: true, height });
    },
  });
  const drawer = h('div', {
    class: 'drawer',
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'Escape') close();
    },
  });
  root.append(button);
  document.body.append(host);

  function open(takesFocus: boolean): void {
    if (panel) return;
    panel = new Panel(recorder, { onClose: close });
    drawer.replaceChildren(handle, panel.element);
    root.append(drawer);
    setHeight(height);
    button.hidden = true;
    button.setAttribute('aria-expanded', 'true');
    if (takesFocus) panel.focus();
    write({ isOpen: true, height });
  }

  function close(): void {
    panel?.dispose();
    panel = null;
    drawer.remove();
    button.hidden = false;
    button.setAttribute('aria-expanded', 'false');
    button.focus();
    write({ isOpen: false, height });
  }

  function setHeight(to: number): void {
    height = Math.round(Math.max(MIN_HEIGHT, Math.min(to, window.innerHeight * 0.9)));
    drawer.style.setProperty('--height', `${height}px`);
    handle.setAttribute('aria-valuenow', String(height));
    handle.setAttribute('aria-valuemin', String(MIN_HEIGHT));
    handle.setAttribute('aria-valuemax', String(Math.round(window.innerHeight * 0.9)));
  }

  function drag(event: PointerEvent): void {
    const startY = event.clientY;
    const startHeight = height;
    handle.setPointerCapture(event.pointerId);
    const move = ({ clientY }: PointerEvent) => setHeight(startHeight + startY - clientY);
    handle.addEventListener('pointermove', move);
    handle.addEventListener(
      'lostpointercapture',
      () => {
        handle.removeEventListener('pointermove', move);
        write({ isOpen: true, height });
      },
      { once: true },
    );
  }

  const light = () => {
    lamp.dataset.tone = overallState(recorder.managers()).tone;
  };
  const endLight = recorder.subscribe(light);
  light();
  if (memory.isOpen ?? initialIsOpen) open(false);

  return () => {
    endLight();
    panel?.dispose();
    panel = null;
    releaseRecorder();
    host.remove();
  };
}

/** Storage may be forbidden, full, or hold anything. */
function read(): Memory {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(MEMORY) ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    const { isOpen, height } = value as Record<string, unknown>;
    return {
      ...(typeof isOpen === 'boolean' && { isOpen }),
      ...(typeof height === 'number' && Number.isFinite(height) && { height }),
    };
  } catch {
    return {};
  }
}

function write(memory: Memory): void {
  try {
    localStorage.setItem(MEMORY, JSON.stringify(memory));
  } catch {
    // Then the next page begins as this one did.
  }
}
