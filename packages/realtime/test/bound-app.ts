import { QueryClient, type QueryClientConfig, QueryObserver, type QueryObserverOptions } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink, type TRPCLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import type { RealtimeClient } from '../src/client/types.ts';
import type { ChannelName } from '../src/core/channel.ts';
import { Answers } from '../src/query/answers.ts';
import '../src/query/binding.ts'; // so that loading it later takes no time
import { type BindingOptions, bindQueryClient } from '../src/query/index.ts';
import { VirtualClock } from '../src/testing/index.ts';
import { type Announcement, realtimeLink } from '../src/trpc/client/index.ts';
import { FakeManager } from './fake-manager.ts';
import { Switch } from './switch.ts';
import { type Backend, type BackendRouter, createBackend, watched } from './trpc-backend.ts';

/** Lets everything happen that waits for nothing but the event loop: requests in process, batches, notifications. */
export async function turn(rounds = 12): Promise<void> {
  for (let at = 0; at < rounds; at++) await new Promise((resolve) => setTimeout(resolve));
}

export interface AppOptions {
  readonly backend?: Backend;
  readonly manager?: FakeManager;
  readonly clock?: VirtualClock;
  readonly answers?: Answers;
  readonly make?: (rt: Announcement) => TRPCLink<BackendRouter>;
  readonly client?: QueryClientConfig;
  readonly binding?: Partial<BindingOptions>;
  readonly keyPrefix?: string;
}

/** An app with a real tRPC client and server and a real QueryClient, on a virtual clock and a manager that the test moves. */
export function openApp(options: AppOptions = {}) {
  return openAppOn(options.manager ?? new FakeManager(), options);
}

export type App = ReturnType<typeof openApp>;

/** The same on any manager. */
export function openAppOn<M extends RealtimeClient>(manager: M, options: Omit<AppOptions, 'manager'>) {
  const backend = options.backend ?? createBackend();
  const clock = options.clock ?? new VirtualClock();
  const answers = options.answers ?? new Answers('tab');
  const focus = new Switch();
  const network = new Switch();
  const queryClient = new QueryClient(options.client ?? {});
  const make =
    options.make ?? ((rt) => httpBatchLink({ url: 'http://test.local/api/trpc', fetch: backend.fetch, ...rt }));
  const client = createTRPCClient<BackendRouter>({ links: [realtimeLink(make, { answers })] });
  const trpc = createTRPCOptionsProxy<BackendRouter>({
    client,
    queryClient,
    ...(options.keyPrefix !== undefined && { keyPrefix: options.keyPrefix }),
  } as Parameters<typeof createTRPCOptionsProxy<BackendRouter>>[0]);
  const binding = bindQueryClient(queryClient, manager, {
    answers,
    clock,
    random: () => 0,
    focusManager: focus,
    onlineManager: network,
    ...options.binding,
  });
  const ends: (() => void)[] = [];
  /** Until nothing is on its way, or (where the test holds it back) nothing can be. */
  const rest = async () => {
    await turn(5);
    for (let at = 0; at < 150 && queryClient.isFetching() + queryClient.isMutating(); at++) await turn(1);
    await turn(3);
  };
  return {
    backend,
    manager,
    clock,
    answers,
    focus,
    network,
    queryClient,
    client,
    trpc,
    binding,
    /** What a component with this query does. */
    // biome-ignore lint/suspicious/noExplicitAny: the options of any query
    observe(query: QueryObserverOptions<any, any, any, any, any>) {
      const observer = new QueryObserver(queryClient, query);
      const end = observer.subscribe(() => {});
      ends.push(end);
      return { observer, end };
    },
    /** Moves the clock and lets everything happen that follows: first what comes within a window, then in steps of ten seconds. */
    async pass(ms: number) {
      await rest();
      for (let left = ms, step = 60; left > 0; left -= step, step = 10_000) {
        await clock.advance(Math.min(left, step));
        await rest();
      }
    },
    close() {
      for (const end of ends) end();
      binding.dispose();
      queryClient.clear();
    },
  };
}

/** Answers bind everything to `channel`, stamped as a server that sees the manager's broker. */
export function watchEverything({ backend, manager }: Pick<App, 'backend' | 'manager'>, channel: ChannelName): void {
  backend.meta.watch = () => [watched(channel, manager.top(channel))];
}
