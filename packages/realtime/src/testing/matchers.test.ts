import { afterEach, expect, it } from 'vitest';
import { createRecorder, createTestRealtime, realtimeMatchers } from './index.ts';

const realtime = createTestRealtime();
afterEach(() => realtime.dispose());

it('matchers say what they found, and can be negated', async () => {
  const client = realtime.createClient();
  const listener = createRecorder();
  const { toBeConnected, toHaveJoined, toHaveReceived, toBeLive, toBeStale } = realtimeMatchers;
  expect(toBeConnected(client)).toMatchObject({ pass: false });
  expect(toBeConnected(client).message()).toBe('Expected the client to be connected, got idle.');
  client.manager.subscribe('trpc:org:1', listener.handler);
  await realtime.advance(10);
  const message = { type: 'channel-invalidation' } as const;
  realtime.publish('trpc:org:1', message);
  await realtime.settled();
  expect(toBeConnected(client)).toMatchObject({ pass: true });
  expect(toBeConnected(client).message()).toContain('not to be connected');
  expect(toHaveJoined(client, 'trpc:org:1').pass).toBe(true);
  expect(toHaveJoined(client, 'trpc:org:2').message()).toBe(
    'Expected the client to have joined trpc:org:2, got trpc:global, trpc:user:user-1, trpc:org:1.',
  );
  expect(toHaveReceived(listener, [message]).pass).toBe(true);
  expect(toHaveReceived(listener, []).pass).toBe(false);
  const binding = {
    status: () => ({ state: 'stale', detail: 'stale', since: 0, refetchAt: null }) as const,
    subscribe: () => () => {},
    observe: () => () => {},
    dispose: () => {},
  };
  expect(toBeStale(binding, ['a']).pass).toBe(true);
  expect(toBeLive(binding, ['a']).message()).toBe('Expected the query ["a"] to be live, got stale (stale).');
});
