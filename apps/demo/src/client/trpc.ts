import { realtimeLink } from '@op/realtime/trpc/client';
import { QueryClient } from '@tanstack/react-query';
import { createTRPCClient, httpBatchStreamLink, isTRPCClientError } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import type { AppRouter } from '../server/trpc/router.ts';
import { readPersonId } from './person.ts';

export const personId = readPersonId();

export const trpcClient = createTRPCClient<AppRouter>({
  links: [
    realtimeLink((realtime) =>
      httpBatchStreamLink({
        url: '/trpc',
        headers: () => ({ ...(personId && { 'x-demo-user': personId }), ...realtime.headers() }),
      }),
    ),
  ],
});

/** Whether an answer was "you may not": asking again changes nothing. */
export function isRefusal(error: unknown): boolean {
  return isTRPCClientError<AppRouter>(error) && error.data?.code === 'FORBIDDEN';
}

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: (failures, error) => failures < 1 && !isRefusal(error) } },
});

export const trpc = createTRPCOptionsProxy({ client: trpcClient, queryClient });
