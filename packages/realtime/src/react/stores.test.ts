import { afterEach, expect, it, vi } from 'vitest';
import { createTestRealtime, type TestRealtime } from '../testing/index.ts';
import { ChannelStore } from './channel-store.ts';
import { PresenceStore } from './presence-store.ts';

let realtime: TestRealtime;
afterEach(() => realtime.dispose());

it('a channel store begins anew when it is subscribed again, and lives by its subscription alone', async () => {
  realtime = createTestRealtime();
  const client = realtime.createClient();
  const store = new ChannelStore(client.manager, 'trpc:org:1');
  const notify = vi.fn();
  await realtime.advance(1_000);
  expect(client.tokenCalls).toBe(0);
  const end = store.subscribe(notify);
  await realtime.advance(50);
  expect(store.status()).toEqual({ state: 'joined', error: null });
  expect(notify).toHaveBeenCalledTimes(1);
  end();
  expect(store.status().state).toBe('joining');
  await realtime.advance(50);
  expect(client.channels).not.toContain('trpc:org:1');
  store.subscribe(notify);
  expect(store.status().state).toBe('joining');
  await realtime.advance(50);
  realtime.broker.unsubscribe('user-1', 'trpc:org:1');
  await realtime.settled();
  expect(store.status()).toEqual({ state: 'ended', error: null });
});

it('a presence store asks at the join, after changes, and from time to time; not while the channel is away, and not after its end', async () => {
  realtime = createTestRealtime();
  const client = realtime.createClient();
  const asked = vi.spyOn(client.manager, 'presence');
  const store = new PresenceStore(client.manager, 'trpc:org:1', 30_000, realtime.clock);
  const end = store.subscribe(() => {});
  await realtime.advance(1_000);
  const { length } = asked.mock.calls;
  expect(length).toBeGreaterThan(0);
  expect(store.presence()).toMatchObject({ clients: [{ userId: 'user-1' }], isCurrent: true, error: null });
  await realtime.advance(30_000);
  expect(asked.mock.calls.length).toBe(length + 1);
  realtime.broker.isUp = false;
  realtime.broker.closeAll(3001, 'shutdown');
  await realtime.advance(90_000);
  expect(asked.mock.calls.length).toBe(length + 1);
  expect(store.presence()).toMatchObject({ clients: [{ userId: 'user-1' }], isCurrent: false });
  realtime.broker.isUp = true;
  await realtime.advance(30_000);
  expect(store.presence().isCurrent).toBe(true);
  end();
  const last = asked.mock.calls.length;
  await realtime.advance(120_000);
  expect(asked.mock.calls.length).toBe(last);
  expect(store.presence().clients).toEqual([]);
  expect(client.channels).toEqual([]);
});

it('a presence store says why it knows nothing', async () => {
  realtime = createTestRealtime({ mayRead: (_user, channel) => channel !== 'trpc:org:2' });
  const client = realtime.createClient();
  vi.spyOn(client.manager, 'presence').mockRejectedValue(new TypeError('something else'));
  const failing = new PresenceStore(client.manager, 'trpc:org:1', 30_000, realtime.clock);
  const refused = new PresenceStore(client.manager, 'trpc:org:2', 30_000, realtime.clock);
  failing.subscribe(() => {});
  refused.subscribe(() => {});
  await realtime.advance(1_000);
  expect(failing.presence()).toMatchObject({ isCurrent: false, error: { code: 'broker_error' } });
  expect(refused.presence()).toMatchObject({ isCurrent: false, error: { code: 'channel_refused' } });
});
