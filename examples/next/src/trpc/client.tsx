'use client';

import { RealtimeManager } from '@op/realtime/client';
import { RealtimeProvider } from '@op/realtime/react';
import { realtimeLink } from '@op/realtime/trpc/client';
import { QueryClientProvider } from '@tanstack/react-query';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createTRPCContext } from '@trpc/tanstack-react-query';
import { type ReactNode, useState } from 'react';
import type { AppRouter } from '../server/router.ts';
import { makeQueryClient } from './query-client.ts';

export const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();

const client = createTRPCClient<AppRouter>({
  links: [realtimeLink((rt) => httpBatchLink({ url: '/api/trpc', ...rt }))],
});

// Opens nothing by itself, here and while a page is rendered on the server.
RealtimeManager.initialize({
  wsUrl: process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL!,
  getToken: async () => {
    const result = await client.realtime.getToken.query();
    return result.token;
  },
});

export function Providers({ children }: { readonly children: ReactNode }) {
  const [queryClient] = useState(() => makeQueryClient());
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={client} queryClient={queryClient}>
        <RealtimeProvider manager={RealtimeManager.getInstance()} queryClient={queryClient}>
          {children}
        </RealtimeProvider>
      </TRPCProvider>
    </QueryClientProvider>
  );
}
