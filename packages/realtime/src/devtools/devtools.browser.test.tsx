import { QueryClient } from '@tanstack/query-core';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import type { RealtimeManager } from '../client/realtime-manager.ts';
import type { ChannelName } from '../core/channel.ts';
import { Answers } from '../query/answers.ts';
import '../query/binding.ts'; // loaded already, so that time stands still meanwhile
import { RealtimeProvider } from '../react/index.ts';
import { createTestRealtime, type TestClient, type TestRealtime } from '../testing/index.ts';
import { mountRealtimeDevtools, RealtimeDevtools, RealtimeDevtoolsPanel, realtimeDevtoolsPlugin } from './index.ts';
import { Recorder } from './recorder.ts';

const NEWS = { type: 'channel-invalidation' } as const;
const channelOf = (at: number): ChannelName => `trpc:org:${at % 50}`;
const keyOf = (at: number) => [['post', 'byId'], { input: { id: `${at}` }, type: 'query' }];

let realtime: TestRealtime;
const complaints: unknown[] = [];
let ends: (() => void)[];
beforeEach(() => {
  localStorage.clear();
  realtime = createTestRealtime();
  ends = [];
  complaints.length = 0;
  for (const level of ['error', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation((...args: unknown[]) => complaints.push(args));
});
afterEach(() => {
  for (const end of ends.reverse()) end();
  realtime.dispose();
  vi.restoreAllMocks();
  expect(complaints).toEqual([]);
});

/** A tab whose cache holds this many answers, each bound to one of 50 channels; the first is in use. */
function openTab(queries: number) {
  const client: TestClient = realtime.createClient({ userId: '7', getChannelTokens: undefined });
  ends.push(() => client.manager.dispose());
  const answers = new Answers();
  const queryClient = new QueryClient({
    defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY } },
  });
  const answer = (at: number) => {
    const channel = channelOf(at);
    const data = { at };
    const watch = [{ channel, ...realtime.broker.position(channel), grant: realtime.grant('7', channel).token }];
    answers.set(data, { wire: { v: 1, id: true, watch }, sentAt: null });
    return data;
  };
  const fill = () => {
    for (let at = 0; at < queries; at++) queryClient.setQueryData(keyOf(at), answer(at));
  };
  const binding = { answers, clock: realtime.clock, random: () => 0 };
  const App = (
    <StrictMode>
      <RealtimeProvider manager={client.manager} queryClient={queryClient} binding={binding}>
        <RealtimeDevtools />
      </RealtimeProvider>
    </StrictMode>
  );
  return { client, fill, App };
}

const hosts = () => document.querySelectorAll<HTMLElement>('[data-op-realtime-devtools]');
const root = () => hosts()[0]!.shadowRoot!;
const find = (selector: string) => root().querySelector<HTMLElement>(selector);
const texts = (selector: string) => [...root().querySelectorAll(selector)].map(({ textContent }) => textContent);
const click = (selector: string) => find(selector)!.click();
const press = (target: Element, key: string) =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true }));
const openTabNamed = (name: string) =>
  [...root().querySelectorAll<HTMLElement>('[role=tab]')].find(({ textContent }) => textContent === name)!.click();

describe('the devtools', () => {
  it('open late and tell what happened before; one button, one recording under StrictMode', async () => {
    const tab = openTab(1);
    const screen = await render(tab.App);
    expect(hosts()).toHaveLength(1);
    tab.fill();
    await realtime.advance(1_000);
    tab.client.manager.subscribe('trpc:org:0', () => {});
    await realtime.advance(1_000);
    realtime.publish('trpc:org:0', NEWS);
    realtime.publish('trpc:org:0', { type: 'event', name: 'typing', data: 1 });
    await realtime.advance(1_000);
    expect(find('.panel')).toBeNull();
    click('.launcher');
    await expect.poll(() => texts('.row .name')).toContain('typing');
    expect(texts('.status')).toEqual(['connected']);
    expect(texts('.row .results').filter((text) => text === 'for the app')).toHaveLength(1);
    expect(texts('.row .name').filter((text) => text === 'trpc:org:0')).toHaveLength(1);
    openTabNamed('Channels');
    await expect.poll(() => texts('.row .name')).toContain('trpc:org:0');
    openTabNamed('Queries');
    await expect.poll(() => texts('.row .name')).toEqual(['post.byId({"id":"0"})']);
    openTabNamed('Connection');
    await expect.poll(() => texts('.card h3')).toEqual(['connected']);
    tab.client.manager.dispose();
    await expect.poll(() => texts('.card h3')).toEqual(['disposed']);
    await screen.unmount();
    expect(hosts()).toHaveLength(0);
  });

  it('are held by the keyboard alone, and give the focus back', async () => {
    const tab = openTab(3);
    await render(tab.App);
    tab.fill();
    find('.launcher')!.focus();
    click('.launcher');
    const tabs = [...root().querySelectorAll<HTMLElement>('[role=tab]')];
    expect(root().activeElement).toBe(tabs[0]);
    press(tabs[0]!, 'ArrowRight');
    expect(root().activeElement).toBe(tabs[1]);
    expect(tabs.map(({ tabIndex }) => tabIndex)).toEqual([-1, 0, -1, -1]);
    await expect.poll(() => texts('.row .name')).toHaveLength(3);
    const list = find('[role=listbox]')!;
    list.focus();
    press(list, 'ArrowDown');
    press(list, 'ArrowDown');
    await expect.poll(() => find('.detail:not([hidden]) h3')?.textContent).toBe('post.byId({"id":"1"})');
    const active = list.getAttribute('aria-activedescendant')!;
    expect(root().getElementById(active)?.getAttribute('aria-selected')).toBe('true');
    press(list, 'Escape');
    expect(find('.detail')!.hidden).toBe(true);
    press(tabs[1]!, 'Escape');
    expect(find('.panel')).toBeNull();
    expect(root().activeElement).toBe(find('.launcher'));
  });

  it('say so in a page without a manager, and fill as soon as there is one', async () => {
    const recorder = new Recorder();
    ends.push(mountRealtimeDevtools({ recorder, initialIsOpen: true }));
    for (const name of ['Queries', 'Channels', 'Connection', 'Timeline', 'Connection']) {
      openTabNamed(name);
      await expect
        .poll(() => texts('.note strong'), { message: name })
        .toEqual(['No RealtimeManager in this page yet']);
    }
    expect(texts('.status')).toEqual(['no manager']);
    const { manager } = realtime.createClient();
    ends.push(() => manager.dispose());
    manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    await expect.poll(() => texts('.card h3')).toEqual(['connected']);
  });

  it('draw ten thousand queries as they draw thirty', async () => {
    const COUNT = 10_000;
    const tab = openTab(COUNT);
    await render(tab.App);
    tab.fill();
    await realtime.advance(1_000);
    click('.launcher');
    openTabNamed('Queries');
    await expect.poll(() => texts('.totals')).toEqual(['10,000 uncovered']);
    const rows = () => root().querySelectorAll('.row').length;
    expect(rows()).toBeGreaterThan(5);
    expect(rows()).toBeLessThan(60);

    const list = find('[role=listbox]')!;
    const frames: number[] = [];
    let longTasks = 0;
    const watch = new PerformanceObserver((entries) => {
      longTasks += entries.getEntries().length;
    });
    watch.observe({ type: 'longtask' });
    for (let step = 1; step <= 40; step++) {
      list.scrollTop = (list.scrollHeight * step) / 40;
      const before = performance.now();
      await new Promise((resolve) => requestAnimationFrame(resolve));
      frames.push(performance.now() - before);
    }
    watch.disconnect();
    await expect.poll(() => texts('.row .name')).toContain(`post.byId({"id":"${COUNT - 1}"})`);
    expect(rows()).toBeLessThan(60);
    expect(root().querySelectorAll('*').length).toBeLessThan(1_500);
    frames.sort((a, b) => a - b);
    const at = (share: number) => frames[Math.floor(share * (frames.length - 1))]?.toFixed(1);
    console.info(
      `devtools: ${COUNT} queries scrolled, frame ms p50 ${at(0.5)} p95 ${at(0.95)}, ${longTasks} long tasks`,
    );

    press(list, 'Home');
    await expect.poll(() => texts('.row .name')).toContain('post.byId({"id":"0"})');
    const filter = find('.filter') as HTMLInputElement;
    filter.value = '"9876"';
    filter.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await expect.poll(() => texts('.row .name')).toEqual(['post.byId({"id":"9876"})']);
  });

  it('tell that a channel is refused, and why, wherever one looks', async () => {
    ends.push(mountRealtimeDevtools({ recorder: new Recorder(), initialIsOpen: true }));
    const { manager } = realtime.createClient({ getChannelTokens: async () => ({}) });
    ends.push(() => manager.dispose());
    manager.subscribe('trpc:org:secret', () => {}, { onLoss: () => {} });
    await realtime.advance(1_000);
    await expect.poll(() => texts('.row .results .pill')).toEqual(['1 refused']);
    openTabNamed('Channels');
    await expect.poll(() => texts('.row .pill')).toContain('refused');
    expect(texts('.row .soft')).toContain('the server gave no grant for it');
  });

  it("and the page's styles do not touch each other", async () => {
    const style = document.createElement('style');
    style.textContent =
      '* { color: rgb(1, 2, 3) !important; letter-spacing: 9px; } button { display: none; font-size: 50px }';
    const button = document.createElement('button');
    document.body.append(button);
    ends.push(() => button.remove());
    const before = JSON.stringify(
      [...getComputedStyle(button)].map((name) => getComputedStyle(button).getPropertyValue(name)),
    );
    ends.push(mountRealtimeDevtools({ recorder: new Recorder(), initialIsOpen: true, theme: 'dark' }));
    const after = JSON.stringify(
      [...getComputedStyle(button)].map((name) => getComputedStyle(button).getPropertyValue(name)),
    );
    expect(after).toBe(before);
    const tab = getComputedStyle(find('[role=tab]')!);
    const plain = [tab.color, tab.display, tab.fontSize, tab.letterSpacing];
    document.head.append(style);
    ends.push(() => style.remove());
    expect([tab.color, tab.display, tab.fontSize, tab.letterSpacing]).toEqual(plain);
    expect(getComputedStyle(find('.panel')!).colorScheme).toBe('dark');
  });

  it('hold the timeline still, forget, and copy', async () => {
    const copied: string[] = [];
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(async (text) => void copied.push(text));
    const { manager } = realtime.createClient();
    ends.push(() => manager.dispose());
    ends.push(mountRealtimeDevtools({ recorder: new Recorder(), initialIsOpen: true }));
    manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    const event = (name: string) => realtime.publish('trpc:global', { type: 'event', name, data: null });
    event('one');
    await realtime.advance(1_000);
    await expect.poll(() => texts('.row .name')).toContain('one');
    click('[aria-label="Hold the timeline still"]');
    event('two');
    await realtime.advance(1_000);
    await expect.poll(() => texts('.totals .end')).toEqual(['held; 1 more since']);
    expect(texts('.row .name')).not.toContain('two');
    click('[aria-label="Copy the events as JSON"]');
    await expect.poll(() => copied).toHaveLength(1);
    expect(JSON.parse(copied[0]!).at(-1)).toMatchObject({ type: 'publication', message: { name: 'one' } });
    click('[aria-label="Let the timeline go on"]');
    await expect.poll(() => texts('.row .name')).toContain('two');
    click('[aria-label="Forget what happened"]');
    await expect.poll(() => texts('.note strong')).toEqual(['Nothing happened yet']);
  });

  it('fill an element as a panel, and leave it', async () => {
    const manager = { status: { state: 'idle', since: 0, reason: null }, observe: () => () => {} };
    const screen = await render(
      <RealtimeProvider manager={manager as unknown as RealtimeManager}>
        <div style={{ height: 300 }}>
          <RealtimeDevtoolsPanel theme="light" />
        </div>
      </RealtimeProvider>,
    );
    await expect.poll(() => texts('.status')).toEqual(['idle']);
    expect(find('.panel')!.getBoundingClientRect().height).toBe(300);
    expect(find('[aria-label="Close"]')).toBeNull();
    await screen.unmount();
    expect(hosts()).toHaveLength(0);
  });

  it('are a plugin of TanStack Devtools, which record before they are shown, in its colours', async () => {
    const slot = Symbol.for('@op/realtime.recorder');
    const page = globalThis as { [slot]?: unknown };
    delete page[slot];
    ends.push(() => delete page[slot]);
    const plugin = realtimeDevtoolsPlugin();
    const { manager } = realtime.createClient();
    ends.push(() => manager.dispose());
    manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    realtime.publish('trpc:global', { type: 'event', name: 'early', data: null });
    await realtime.advance(1_000);
    const element = plugin.render(document.body, { theme: 'dark' });
    const screen = await render(<div style={{ height: 300 }}>{element}</div>);
    await expect.poll(() => texts('.row .name')).toContain('early');
    expect(getComputedStyle(find('.panel')!).colorScheme).toBe('dark');
    await screen.unmount();
  });
});
