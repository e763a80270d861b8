import { QueryClient } from '@tanstack/query-core';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createTRPCClient, type TRPCLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { StrictMode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import { eventually } from '../../../../test/eventually.ts';
import { Answers } from '../query/answers.ts';
import '../query/binding.ts'; // loaded already, so that time stands still meanwhile
import { createTestRealtime, type TestClient, type TestRealtime } from '../testing/index.ts';
import { realtimeLink } from '../trpc/client/index.ts';
import { REQUEST_ID_HEADER, toEnvelope } from '../trpc/metadata.ts';
import { RealtimeProvider, useFreshness } from './index.ts';

const CHANNEL = 'trpc:org:1';
const NEWS = { type: 'channel-invalidation' } as const;

let realtime: TestRealtime;
/** The database: what `posts` answers. */
let posts: string;
const complaints: unknown[] = [];
beforeEach(() => {
  realtime = createTestRealtime();
  posts = 'first';
  complaints.length = 0;
  for (const level of ['error', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation((...args: unknown[]) => complaints.push(args));
});
afterEach(() => {
  realtime.dispose();
  vi.restoreAllMocks();
  expect(complaints).toEqual([]);
});

/** One tab: a query client, a tRPC client whose requests this page answers itself, as the server's middleware does, and a manager. */
function openTab() {
  const client: TestClient = realtime.createClient({ userId: '1', getChannelTokens: undefined });
  const answers = new Answers();
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  let requests = 0;
  const server =
    (headers: () => Record<string, string>): TRPCLink<AnyTRPCRouter> =>
    () =>
    () =>
      observable((observer) => {
        requests++;
        const requestId = headers()[REQUEST_ID_HEADER] ?? null;
        const channel = {
          channel: CHANNEL,
          stamp: realtime.broker.position(CHANNEL),
          grant: realtime.grant('1', CHANNEL).token,
        } as const;
        const data = toEnvelope({ requestId, channels: [channel], touched: [] }, { posts });
        observer.next({ result: { type: 'data', data } });
        observer.complete();
      });
  const trpc = createTRPCClient<AnyTRPCRouter>({
    links: [realtimeLink(({ headers }) => server(headers), { answers })],
  }) as unknown as {
    posts: { query(): Promise<{ posts: string }> };
  };
  const App = (
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RealtimeProvider
          manager={client.manager}
          queryClient={queryClient}
          binding={{ answers, clock: realtime.clock, random: () => 0 }}
        >
          <Posts read={() => trpc.posts.query()} />
        </RealtimeProvider>
      </QueryClientProvider>
    </StrictMode>
  );
  return { client, App, requests: () => requests };
}

const KEY = [['posts'], { type: 'query' }];

function Posts({ read }: { read: () => Promise<{ posts: string }> }) {
  const { data } = useQuery({ queryKey: KEY, queryFn: read });
  const { state, detail } = useFreshness(KEY);
  return <output data-testid="posts">{`${data?.posts} ${state} ${detail}`}</output>;
}

/** Lets time go on until the page shows this. */
async function shows({ container }: { container: Element }, text: string) {
  await eventually(async () => {
    await realtime.advance(20);
    expect(container.textContent).toBe(text);
  });
}

it('shows what another user changed, with one socket and one request per change and tab, under StrictMode', async () => {
  const [a, b] = [openTab(), openTab()];
  const screens = [await render(a.App), await render(b.App)];
  for (const screen of screens) await shows(screen, 'first live live');
  expect([a.requests(), b.requests()]).toEqual([1, 1]);
  for (const text of ['second', 'third']) {
    posts = text;
    realtime.publish(CHANNEL, NEWS);
    for (const screen of screens) await shows(screen, `${text} live live`);
  }
  expect([a.requests(), b.requests()]).toEqual([3, 3]);
  expect([a.client.attempts, b.client.attempts]).toEqual([1, 1]);
});

it('says when it is not live, and is again without a request where nothing was missed', async () => {
  const tab = openTab();
  const screen = await render(tab.App);
  await shows(screen, 'first live live');
  tab.client.drop();
  await eventually(() => expect(screen.container.textContent).toBe('first unknown uncovered'));
  await realtime.advance(5_000);
  await shows(screen, 'first live live');
  expect(tab.requests()).toBe(1);
  tab.client.drop();
  posts = 'second';
  realtime.publish(CHANNEL, NEWS);
  await realtime.advance(5_000);
  await shows(screen, 'second live live');
  expect(tab.requests()).toBe(2);
});

it('leaves nothing behind when it is unmounted', async () => {
  const tab = openTab();
  const screen = await render(tab.App);
  await shows(screen, 'first live live');
  await screen.unmount();
  await realtime.advance(100); // at once: the binding is gone, no grace of its own
  expect(tab.client.channels).not.toContain(CHANNEL);
  await realtime.advance(120_000);
  expect(realtime.broker.connections).toBe(0);
  expect(realtime.clock.pending).toBe(0);
});
