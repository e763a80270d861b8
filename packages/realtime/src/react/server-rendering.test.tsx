import { QueryClient } from '@tanstack/query-core';
import { renderToString } from 'react-dom/server';
import { afterEach, expect, it, vi } from 'vitest';
import { createTestRealtime } from '../testing/index.ts';
import { RealtimeProvider, useChannel, useFreshness, usePresence, useRealtimeStatus } from './index.ts';

function Everything() {
  const { state, since } = useRealtimeStatus();
  const freshness = useFreshness(['posts']);
  const channel = useChannel('trpc:global', () => {});
  const { clients } = usePresence('trpc:global');
  return (
    <p>
      {state} {since} {freshness.state} {channel.state} {clients.length}
    </p>
  );
}

const realtime = createTestRealtime();
afterEach(() => realtime.dispose());

it('renders on a server without a subscription, a timer, a warning or a binding', async () => {
  const warned = vi.spyOn(console, 'error').mockImplementation(() => {});
  const client = realtime.createClient();
  const subscribe = vi.spyOn(client.manager, 'subscribe');
  const html = renderToString(
    <RealtimeProvider manager={client.manager} queryClient={new QueryClient()}>
      <Everything />
    </RealtimeProvider>,
  );
  await realtime.advance(60_000);
  expect(html.replace(/<!-- -->/g, '')).toBe('<p>idle 0 unknown joining 0</p>');
  expect(subscribe).not.toHaveBeenCalled();
  expect(client.tokenCalls).toBe(0);
  expect(realtime.clock.pending).toBe(0);
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

it('says what to do where the provider is missing', () => {
  expect(() => renderToString(<Everything />)).toThrow(
    expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining('<RealtimeProvider') }),
  );
});
