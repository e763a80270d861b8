import { afterEach, describe, expect, it } from 'vitest';
import { openAppOn } from '../../test/bound-app.ts';
import { watched } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Message } from '../core/message.ts';
import { createTestRealtime, type TestClientOptions, type TestRealtime } from '../testing/index.ts';

/** What servers say that contradicts itself, and machines whose clocks jump: a real manager over a broker in memory. */

const ORG: ChannelName = 'trpc:org:1';
const OWN: ChannelName = 'trpc:user:7';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };

let realtime: TestRealtime;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
  realtime.dispose();
});

function open(options: TestClientOptions & { readonly bindingClock?: (clock: Clock) => Clock } = {}) {
  realtime = createTestRealtime();
  const { bindingClock = (clock) => clock, ...config } = options;
  const client = realtime.createClient({ userId: '7', ...config });
  const app = openAppOn(client.manager, {
    clock: realtime.clock,
    binding: { clock: bindingClock(realtime.clock) },
  });
  closing.push(app.close);
  const item = (id = '1') => app.trpc.item.queryOptions({ id }, fresh);
  return {
    ...app,
    tab: client,
    item,
    runs: () => app.backend.runs.get('item') ?? 0,
    status: (id = '1') => app.binding.status(item(id).queryKey).detail,
    /** What every answer says of `channel`, with this token. */
    grant: (channel: ChannelName, token?: string) => {
      app.backend.meta.watch = () => [watched(channel, realtime.broker.position(channel), token)];
    },
  };
}

describe('metadata that contradicts its token', () => {
  const contradictions: [string, () => string][] = [
    ['for another channel', () => realtime.grant('7', 'trpc:org:2').token],
    ['for another user', () => realtime.grant('8', ORG).token],
    ['that is no token', () => 'nonsense'],
  ];

  it.each(contradictions)('a grant %s is dropped and reported, and another one asked for', async (_, token) => {
    const app = open();
    app.grant(ORG, token());
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.tab.grantCalls).toEqual([[ORG]]);
    expect(app.tab.errors).toMatchObject([{ code: 'channel_refused' }]);
    expect(String(app.tab.errors)).not.toContain(token());
    expect(app.tab.attempts).toBe(1);
    expect(app.status()).toBe('live');
  });

  it.each(contradictions)('a grant %s covers nothing where there is nobody to ask', async (_, token) => {
    const app = open({ getChannelTokens: undefined });
    app.grant(ORG, token());
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.tab.channels).not.toContain(ORG);
    expect(app.tab.attempts).toBe(1);
    expect(app.status()).toBe('uncovered');
    expect(app.queryClient.getQueryData<unknown>(app.item().queryKey)).toEqual({ id: '1' });
  });

  it('a grant for a channel that the connection carries is not used: it would end the channel', async () => {
    const app = open();
    app.grant(OWN, realtime.grant('7', OWN).token);
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.status()).toBe('live');
    realtime.publish(OWN, INVALIDATE);
    await app.pass(1_000);
    expect([app.runs(), app.status(), app.tab.attempts]).toEqual([2, 'live', 1]);
    expect(app.tab.errors).toEqual([]);
  });
});

it('thousands of channels at once cost no connection: what fits is joined, the rest is uncovered, unused ones leave first, the oldest of them before the others', async () => {
  const app = open({ maxChannels: 128 });
  app.backend.meta.watch = (_, input) => {
    const { id } = input as { id: string };
    if (id.startsWith('small'))
      return [watched(`trpc:small:${id}`, null, realtime.grant('7', `trpc:small:${id}`).token)];
    return Array.from({ length: 1_000 }, (_unused, at) => watched(`trpc:item:${id}-${at}`, { epoch: 'e', offset: 0 }));
  };
  const first = app.observe(app.item('small-1'));
  const second = app.observe(app.item('small-2'));
  await app.pass(1_000);
  expect([app.status('small-1'), app.status('small-2')]).toEqual(['live', 'live']);
  first.end();
  await app.pass(100);
  second.end();
  for (let id = 0; id < 3; id++) app.observe(app.item(`${id}`));
  await app.pass(1_000);
  expect(app.tab.channels).toHaveLength(128);
  expect(app.tab.attempts).toBe(1);
  expect(app.tab.channels).not.toContain('trpc:small:small-1');
  for (const id of ['small-1', 'small-2'])
    expect(app.queryClient.getQueryState(app.item(id).queryKey)?.isInvalidated).toBe(true);
  for (let id = 0; id < 3; id++) expect(app.status(`${id}`)).toBe('uncovered');
});

describe('a clock that jumps', () => {
  const HOUR_MS = 3_600_000;
  it.each([
    ['an hour ahead', HOUR_MS],
    ['a day back', -24 * HOUR_MS],
  ])('%s costs no refetch, loses no news and leaves no timer behind', async (_, jumpMs) => {
    let skewMs = 0;
    const skewed = (clock: Clock): Clock => ({ now: () => clock.now() + skewMs, after: clock.after.bind(clock) });
    realtime = createTestRealtime();
    const app = open({ bindingClock: skewed });
    app.grant(ORG, realtime.grant('7', ORG).token);
    app.observe(app.item());
    await app.pass(1_000);
    expect([app.status(), app.runs()]).toEqual(['live', 1]);
    // In the middle of a window: the fetch that is due still comes, once.
    realtime.publish(ORG, INVALIDATE);
    skewMs = jumpMs;
    realtime.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect([app.status(), app.runs()]).toEqual(['live', 2]);
    await app.pass(120_000);
    expect([app.status(), app.runs()]).toEqual(['live', 2]);
    realtime.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect([app.status(), app.runs()]).toEqual(['live', 3]);
  });

  it.each([
    ['an hour ahead', HOUR_MS],
    ['an hour back', -HOUR_MS],
  ])('under the connection, %s, costs at most new tokens: the channel stays, or is joined again', async (_, jumpMs) => {
    let skewMs = 0;
    const app = open({ grantTtlSeconds: 60 });
    const { clock } = realtime;
    const now = clock.now.bind(clock);
    clock.now = () => now() + skewMs;
    app.grant(ORG);
    app.observe(app.item());
    await app.pass(1_000);
    expect(app.status()).toBe('live');
    skewMs = jumpMs;
    for (let at = 0; at < 3; at++) {
      await app.pass(60_000);
      realtime.publish(ORG, INVALIDATE);
      await app.pass(10_000);
      expect(app.status()).toBe('live');
    }
    expect(app.tab.manager.status.state).toBe('connected');
    expect(app.tab.attempts).toBeLessThanOrEqual(2);
    expect(app.tab.tokenCalls).toBeLessThanOrEqual(2);
  });
});
