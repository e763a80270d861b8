import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import * as absent from './absent.ts';
import { RealtimeDevtools, RealtimeDevtoolsPanel, realtimeDevtoolsPlugin } from './index.ts';

const listenersOf = () =>
  (globalThis as { [key: symbol]: { listeners: Set<unknown> } })[Symbol.for('@op/realtime.sources')]?.listeners.size ??
  0;

it('renders nothing on a server, with or without a provider', () => {
  expect(renderToString(<RealtimeDevtools initialIsOpen />)).toBe('');
  expect(renderToString(<RealtimeDevtoolsPanel />)).toBe('<div style="height:100%"></div>');
  // Nor does anything record there: a module that names its plugins is loaded on both sides.
  const before = listenersOf();
  realtimeDevtoolsPlugin();
  expect(listenersOf()).toBe(before);
});

it('renders nothing where it is left out, and mounts nothing', () => {
  expect(renderToString(<absent.RealtimeDevtools initialIsOpen />)).toBe('');
  expect(renderToString(<absent.RealtimeDevtoolsPanel />)).toBe('');
  expect(absent.realtimeDevtoolsPlugin().render()).toBeNull();
  expect(() => absent.mountRealtimeDevtools()()).not.toThrow();
});
