import { QueryClient } from '@tanstack/react-query';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import type { AppRouter } from '../server/trpc/router.ts';
import { readPersonId } from './person.ts';

export const personId = readPersonId();

export const trpcClient = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: '/trpc', headers: () => (personId ? { 'x-demo-user': personId } : {}) })],
});

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: 1 } },
});

export const trpc = createTRPCOptionsProxy({ client: trpcClient, queryClient });
