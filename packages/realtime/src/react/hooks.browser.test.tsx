import { QueryClient } from '@tanstack/query-core';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { StrictMode, useState } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import { eventually } from '../../../../test/eventually.ts';
import type { RealtimeManager } from '../client/realtime-manager.ts';
import { createTestRealtime, type TestClient, type TestRealtime } from '../testing/index.ts';
import { RealtimeProvider, useChannel, useFreshness, usePresence, useRealtime, useRealtimeStatus } from './index.ts';

let realtime: TestRealtime;
let client: TestClient;
const complaints: unknown[] = [];
beforeEach(() => {
  realtime = createTestRealtime();
  client = realtime.createClient({ userId: '1' });
  complaints.length = 0;
  for (const level of ['error', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation((...args: unknown[]) => complaints.push(args));
});
afterEach(() => {
  realtime.dispose();
  vi.restoreAllMocks();
  expect(complaints).toEqual([]);
});

const event = (name: string) => ({ type: 'event', name, data: null }) as const;

function Status() {
  const { state, since } = useRealtimeStatus();
  return <output data-testid="status">{`${state} ${since > 0}`}</output>;
}

function Channel({ name, mark }: { name: string | null; mark: string }) {
  const [seen, setSeen] = useState<string[]>([]);
  const { state, error } = useChannel(name, (message) => {
    if (message.type === 'event') setSeen((list) => [...list, `${mark}:${message.name}`]);
  });
  return (
    <output data-testid="channel">
      {state} {error?.code} {seen.join(' ')}
    </output>
  );
}

function Who() {
  const { clients, isCurrent, error } = usePresence('trpc:org:1', { clock: realtime.clock });
  return (
    <output data-testid="who">
      {`${clients.map(({ userId }) => userId).join(',')} ${isCurrent} ${error?.code ?? ''}`}
    </output>
  );
}

let manager: RealtimeManager | undefined;
function Query() {
  manager = useRealtime<RealtimeManager>();
  const { data } = useQuery({ queryKey: ['posts'], queryFn: async () => 'data' });
  const { state, detail } = useFreshness(['posts']);
  return <output data-testid="query">{`${data} ${state} ${detail}`}</output>;
}

const page = ({ name, mark = 'x', strict = false }: { name: string | null; mark?: string; strict?: boolean }) => {
  const tree = (
    <RealtimeProvider manager={client.manager}>
      <Status />
      <Channel name={name} mark={mark} />
    </RealtimeProvider>
  );
  return strict ? <StrictMode>{tree}</StrictMode> : tree;
};

describe('useChannel', () => {
  it('joins once under StrictMode, hands messages to the newest handler, and leaves at the unmount', async () => {
    const screen = await render(page({ name: 'trpc:org:1', mark: 'a', strict: true }));
    await realtime.advance(50);
    await expect.element(screen.getByTestId('status')).toHaveTextContent('connected true');
    await expect.element(screen.getByTestId('channel')).toHaveTextContent(/^joined/);
    realtime.publish('trpc:org:1', event('one'));
    await realtime.settled();
    await screen.rerender(page({ name: 'trpc:org:1', mark: 'b', strict: true }));
    realtime.publish('trpc:org:1', event('two'));
    await realtime.settled();
    await expect.element(screen.getByTestId('channel')).toHaveTextContent('joined a:one b:two');
    expect(client.grantCalls).toEqual([['trpc:org:1']]);
    expect(client.attempts).toBe(1);
    expect(client.tokenCalls).toBe(1);
    await screen.unmount();
    await realtime.advance(50);
    expect(realtime.broker.channelsOf('1')).not.toContain('trpc:org:1');
    await realtime.advance(10_000);
    expect(realtime.broker.connections).toBe(0);
  });

  it('follows the channel it is given, and null is none', async () => {
    const screen = await render(page({ name: null }));
    await realtime.advance(1_000);
    expect(client.tokenCalls).toBe(0);
    await expect.element(screen.getByTestId('channel')).toHaveTextContent('joining');
    await screen.rerender(page({ name: 'trpc:org:1' }));
    await realtime.advance(50);
    await screen.rerender(page({ name: 'trpc:org:2' }));
    await realtime.advance(50);
    expect(realtime.broker.channelsOf('1')).toContain('trpc:org:2');
    expect(realtime.broker.channelsOf('1')).not.toContain('trpc:org:1');
    realtime.publish('trpc:org:1', event('old'));
    realtime.publish('trpc:org:2', event('new'));
    await realtime.settled();
    await expect.element(screen.getByTestId('channel')).toHaveTextContent('joined x:new');
  });

  it('shows drops and refusals, and reports a shown refusal to nobody else', async () => {
    const refused = await render(
      <RealtimeProvider manager={client.manager}>
        <Channel name="trpc:user:2" mark="x" />
      </RealtimeProvider>,
    );
    await realtime.advance(50);
    await expect.element(refused.getByTestId('channel')).toHaveTextContent('refused channel_refused');
    expect(client.errors).toEqual([]);
    await refused.unmount();
    const screen = await render(
      <RealtimeProvider manager={client.manager}>
        <Status />
        <Channel name="trpc:org:1" mark="x" />
      </RealtimeProvider>,
    );
    await realtime.advance(50);
    client.drop();
    await expect.element(screen.getByTestId('channel')).toHaveTextContent('dropped');
    await expect.element(screen.getByTestId('status')).toHaveTextContent('reconnecting true');
    await realtime.advance(5_000);
    await expect.element(screen.getByTestId('channel')).toHaveTextContent('joined');
  });
});

describe('usePresence', () => {
  it('shows who comes and goes', async () => {
    const screen = await render(
      <StrictMode>
        <RealtimeProvider manager={client.manager}>
          <Who />
        </RealtimeProvider>
      </StrictMode>,
    );
    await realtime.advance(1_000);
    await expect.element(screen.getByTestId('who')).toHaveTextContent('1 true');
    const other = realtime.createClient({ userId: '2' });
    other.manager.subscribe('trpc:org:1', () => {});
    await realtime.advance(1_000);
    await expect.element(screen.getByTestId('who')).toHaveTextContent('1,2 true');
    other.manager.dispose();
    await realtime.advance(1_000);
    await expect.element(screen.getByTestId('who')).toHaveTextContent('1 true');
    client.drop();
    await expect.element(screen.getByTestId('who')).toHaveTextContent('1 false');
  });
});

describe('useFreshness and useRealtime', () => {
  it('say `unknown` of a query without channels, and give the manager', async () => {
    const queryClient = new QueryClient();
    const screen = await render(
      <StrictMode>
        <QueryClientProvider client={queryClient}>
          <RealtimeProvider manager={client.manager} queryClient={queryClient}>
            <Query />
          </RealtimeProvider>
        </QueryClientProvider>
      </StrictMode>,
    );
    await expect.element(screen.getByTestId('query')).toHaveTextContent('data unknown unbound');
    expect(manager).toBe(client.manager);
    expect(client.tokenCalls).toBe(0);
  });
});

describe('hydration', () => {
  it('of a page rendered on a server matches, and then shows the living state', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    host.innerHTML = renderToString(page({ name: 'trpc:global' }));
    client.manager.subscribe('trpc:global', () => {}); // connected before React comes to life
    await realtime.advance(50);
    const mismatches: unknown[] = [];
    const root = hydrateRoot(host, page({ name: 'trpc:global' }), {
      onRecoverableError: (error) => mismatches.push(error),
    });
    await eventually(() => expect(host.textContent).toContain('connected true'));
    await realtime.settled();
    await eventually(() => expect(host.textContent).toContain('joined'));
    expect(mismatches).toEqual([]);
    root.unmount();
    host.remove();
  });
});
