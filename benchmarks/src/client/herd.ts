import { bindQueryClient } from '@op/realtime/query';
import { QueryClient } from '@tanstack/query-core';
import { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';
import { observe, StampedServer, untilTrue } from './bound-queries.ts';

const CHANNEL = 'trpc:global';
const TABS = 1000;
const BIN_MS = 100;

export interface Herd {
  readonly tabs: number;
  readonly spreadMs: number;
  /** Requests in the busiest tenth of a second, as a rate. */
  readonly peakRequestsPerSecond: number;
  readonly requests: number;
}

/** One publication for everybody, 1,000 tabs with one mounted query each: how hard do they come? */
export async function herd(spreadMs: number): Promise<Herd> {
  const manager = new FakeManager();
  const server = new StampedServer(manager, 20);
  const tabs = Array.from({ length: TABS }, () => {
    const client = new QueryClient();
    const binding = bindQueryClient(client, manager, { answers: server.answers });
    return {
      client,
      binding,
      ...observe(
        client,
        ['feed'],
        server.queryFn(CHANNEL, () => ({})),
      ),
    };
  });
  await untilTrue(() => tabs.every(({ binding }) => binding.status(['feed']).state === 'live'));
  const before = server.fetches;
  const bins: number[] = [];
  let seen = before;
  const startedAt = performance.now();
  manager.publish(CHANNEL, { type: 'channel-invalidation', spreadMs });
  while (performance.now() - startedAt < spreadMs + 1000) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const bin = Math.floor((performance.now() - startedAt) / BIN_MS);
    bins[bin] = (bins[bin] ?? 0) + server.fetches - seen;
    seen = server.fetches;
  }
  for (const { client, binding, end } of tabs) {
    end();
    binding.dispose();
    client.clear();
  }
  const peak = Math.max(...bins.filter((count) => count !== undefined));
  return { tabs: TABS, spreadMs, peakRequestsPerSecond: (peak * 1000) / BIN_MS, requests: seen - before };
}
