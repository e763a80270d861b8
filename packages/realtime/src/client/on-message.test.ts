import { afterEach, expect, it } from 'vitest';
import type { Message } from '../core/message.ts';
import { createRecorder, createTestRealtime, type TestRealtime } from '../testing/index.ts';

let realtime: TestRealtime;
afterEach(() => realtime.dispose());

const event = (name: string): Message => ({ type: 'event', name, data: null });

it('onMessage hears every message once, on whatever channel, and none after its end', async () => {
  realtime = createTestRealtime();
  const client = realtime.createClient({ userId: '7' });
  const heard: string[] = [];
  const end = client.manager.onMessage((message, { channel, position }) => {
    heard.push(`${channel} ${message.type === 'event' && message.name} @${position?.offset}`);
    throw new TypeError('mine');
  });
  const listener = createRecorder();
  client.manager.subscribe('trpc:org:1', () => {});
  client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
  await realtime.advance(10);
  realtime.publish('trpc:org:1', event('a'));
  realtime.publish('trpc:user:7', event('carried by the connection'));
  realtime.broker.publish('trpc:org:1', { type: 'from-the-future' });
  await realtime.settled();
  expect(heard).toEqual(['trpc:org:1 a @1', 'trpc:user:7 carried by the connection @1']);
  expect(listener.lines).toContain('event a @1');
  expect(client.errors.filter(({ code }) => code === 'handler_failed')).toHaveLength(2);
  end();
  realtime.publish('trpc:org:1', event('b'));
  await realtime.settled();
  expect(heard).toHaveLength(2);
});

it('onMessage does not hear what only bound queries listen to', async () => {
  realtime = createTestRealtime();
  const { manager } = realtime.createClient({ userId: '7' });
  let heard = 0;
  manager.onMessage(() => heard++);
  manager.subscribe('trpc:org:1', () => {}, { isAutomatic: true });
  await realtime.advance(10);
  realtime.publish('trpc:org:1', event('a'));
  await realtime.settled();
  expect(heard).toBe(0);
  const end = manager.subscribe('trpc:org:1', () => {});
  await realtime.settled();
  realtime.publish('trpc:org:1', event('b'));
  await realtime.settled();
  expect(heard).toBe(1);
  end();
  realtime.publish('trpc:org:1', event('c'));
  await realtime.settled();
  expect(heard).toBe(1);
});
