import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { QueryClient } from '@tanstack/query-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../../test/eventually.ts';
import { type App, openApp, turn, watchEverything } from '../../test/bound-app.ts';
import { FakeManager } from '../../test/fake-manager.ts';
import { Switch } from '../../test/switch.ts';
import { touchedChannel } from '../../test/trpc-backend.ts';
import type { ChannelName } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import { VirtualClock } from '../testing/index.ts';
import { Answers } from './answers.ts';
import { bindQueryClient } from './bind-query-client.ts';

const ORG: ChannelName = 'trpc:org:1';
const INVALIDATE: Message = { type: 'channel-invalidation' };
const fresh = { staleTime: Number.POSITIVE_INFINITY };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

function open(): App {
  const app = openApp();
  closing.push(() => app.close());
  watchEverything(app, ORG);
  return app;
}
const itemOf = (app: App) => app.trpc.item.queryOptions({ id: '1' }, fresh);

describe('binding a client', () => {
  it('asks the manager for nothing before an answer names a channel', async () => {
    const app = open();
    app.backend.meta.watch = () => [];
    app.observe(itemOf(app));
    await app.pass(60_000);
    expect(app.manager.asked).toEqual([]);
    expect(app.clock.pending).toBe(0);
  });

  it('takes what was answered before, also primitives and running fetches', async () => {
    const app = open();
    app.binding.dispose();
    app.backend.items.set('value', 5);
    const value = app.trpc.value.queryOptions(undefined, fresh);
    app.observe(itemOf(app));
    await turn();
    app.observe(value);
    await turn();
    const text = app.trpc.byText.queryOptions('x', fresh);
    app.backend.items.set('x', 'still on its way');
    app.observe(text);
    const binding = bindQueryClient(app.queryClient, app.manager, { answers: app.answers, clock: app.clock });
    closing.push(() => binding.dispose());
    await app.pass(1_000);
    expect(binding.status(itemOf(app).queryKey).state).toBe('live');
    expect(binding.status(value.queryKey).state).toBe('live');
    expect(binding.status(text.queryKey).state).toBe('live');
    expect([...app.backend.runs.values()]).toEqual([1, 1, 1]);
  });

  it('again replaces the binding, and loses nothing', async () => {
    const app = open();
    app.observe(itemOf(app));
    await app.pass(1_000);
    app.backend.runs.clear();
    const again = () =>
      bindQueryClient(app.queryClient, app.manager, { answers: app.answers, clock: app.clock, random: () => 0 });
    // As StrictMode does it, and as a hot update does.
    again().dispose();
    const binding = again();
    closing.push(() => binding.dispose());
    await app.pass(1_000);
    expect(app.manager.subscriptions.get(ORG)?.size).toBe(1);
    expect(binding.status(itemOf(app).queryKey).state).toBe('live');
    expect(app.backend.runs.get('item')).toBeUndefined();
    app.manager.publish(ORG, INVALIDATE);
    await app.pass(1_000);
    expect(app.backend.runs.get('item')).toBe(1);
  });

  it('remembers a mutation that was answered before the rest was loaded', async () => {
    const app = open();
    app.backend.meta.touch = () => [touchedChannel(ORG, null)];
    app.backend.items.set('1', { id: '1', at: 1 });
    app.observe(itemOf(app));
    // Answered in the same batch of work as the first query: the rest is still on its way.
    const saved = app.client.save.mutate({ id: '1', value: { id: '1', at: 2 } });
    await saved;
    await app.pass(1_000);
    expect(app.queryClient.getQueryData<unknown>(itemOf(app).queryKey)).toEqual({ id: '1', at: 2 });
    expect(app.binding.status(itemOf(app).queryKey).state).toBe('live');
  });
});

describe('after dispose()', () => {
  it('nothing is left, and nothing happens', async () => {
    const app = open();
    app.observe(itemOf(app));
    await app.pass(1_000);
    const end = app.binding.subscribe(() => {});
    app.manager.publish(ORG, INVALIDATE);
    await turn(1);
    expect(app.clock.pending).toBeGreaterThan(0);
    app.backend.runs.clear();
    app.binding.dispose();
    app.binding.dispose();
    end();
    expect(app.clock.pending).toBe(0);
    expect(app.manager.subscriptions.size).toBe(0);
    expect(app.manager.listeners).toBe(0);
    expect(app.answers.listeners.size).toBe(0);
    expect(app.focus.listeners + app.network.listeners).toBe(0);
    expect(app.queryClient.getQueryCache().hasListeners()).toBe(false);
    expect(app.queryClient.getMutationCache().hasListeners()).toBe(false);
    app.manager.publish(ORG, INVALIDATE);
    await app.client.item.query({ id: '1' });
    await app.pass(60_000);
    expect(app.backend.runs.get('item')).toBe(1);
    expect(app.binding.status(itemOf(app).queryKey)).toEqual({
      state: 'unknown',
      detail: 'unbound',
      since: 0,
      refetchAt: null,
    });
  });

  it('nothing is loaded any more', async () => {
    const app = open();
    app.observe(itemOf(app));
    app.binding.dispose();
    await app.pass(1_000);
    expect(app.manager.asked).toEqual([]);
  });
});

describe('a client that is dropped', () => {
  it('is collected, and everything that was done for it ends', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const manager = new FakeManager();
    const answers = new Answers();
    const clock = new VirtualClock();
    const focus = new Switch();
    const refs: WeakRef<QueryClient>[] = [];
    await (async () => {
      const app = openApp({ manager, answers, clock, binding: { focusManager: focus, onlineManager: focus } });
      watchEverything(app, ORG);
      refs.push(new WeakRef(app.queryClient));
      const { end } = app.observe(itemOf(app));
      await app.pass(1_000);
      expect(app.binding.status(itemOf(app).queryKey).state).toBe('live');
      end();
      await app.pass(20_000);
      expect(manager.subscriptions.size).toBe(1);
    })();
    // A timer that runs holds on to it.
    await clock.advance(60_000);
    await eventually(() => {
      gc();
      expect(refs[0]?.deref() === undefined).toBe(true); // a failed expectation would keep the client
    });
    await eventually(() => {
      gc();
      expect(answers.listeners.size).toBe(0);
    });
    expect(manager.listeners).toBe(0);
    expect(focus.listeners).toBe(0);
  });
});

describe('where the rest cannot be loaded', () => {
  it('the next answer tries again', async () => {
    vi.resetModules();
    let attempts = 0;
    vi.doMock('./binding.ts', async (original) => {
      if (++attempts === 1) throw new TypeError('offline');
      return original();
    });
    const { bindQueryClient: bind } = await import('./bind-query-client.ts');
    const app = open();
    app.binding.dispose();
    const binding = bind(app.queryClient, app.manager, { answers: app.answers, clock: app.clock });
    closing.push(() => binding.dispose());
    app.observe(itemOf(app));
    await eventually(() => expect(attempts).toBe(1));
    await app.pass(1_000);
    expect(binding.status(itemOf(app).queryKey).detail).toBe('unbound');
    await app.queryClient.refetchQueries();
    await eventually(async () => {
      await app.queryClient.refetchQueries();
      expect(binding.status(itemOf(app).queryKey).state).toBe('live');
    });
    vi.doUnmock('./binding.ts');
  });
});
