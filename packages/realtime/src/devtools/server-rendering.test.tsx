import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import * as absent from './absent.ts';
import { RealtimeDevtools, RealtimeDevtoolsPanel } from './index.ts';

it('renders nothing on a server, with or without a provider', () => {
  expect(renderToString(<RealtimeDevtools initialIsOpen />)).toBe('');
  expect(renderToString(<RealtimeDevtoolsPanel />)).toBe('<div style="height:100%"></div>');
});

it('renders nothing where it is left out, and mounts nothing', () => {
  expect(renderToString(<absent.RealtimeDevtools initialIsOpen />)).toBe('');
  expect(renderToString(<absent.RealtimeDevtoolsPanel />)).toBe('');
  expect(() => absent.mountRealtimeDevtools()()).not.toThrow();
});
