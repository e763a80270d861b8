import { RealtimeManager } from '@op/realtime/client';
import { RealtimeProvider } from '@op/realtime/react';
import { realtimeLink } from '@op/realtime/trpc/client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Notes } from './Notes.tsx';
import type { AppRouter } from './router.ts';
import { trpc } from './trpc.ts';

const page = new URLSearchParams(location.search);
const user = page.get('user') ?? 'nobody';

// `as never`: in this folder two versions of tRPC meet in the types. An app has one, and needs no cast.
const link = realtimeLink(
  (rt) => httpBatchLink<AppRouter>({ url: '/trpc', headers: () => ({ 'x-user': user, ...rt.headers() }) }) as never,
);
const links = [link as never];
const client = createTRPCClient<AppRouter>({ links });
const manager = RealtimeManager.initialize({
  wsUrl: page.get('ws') ?? '',
  getToken: async () => (await client.realtime.getToken.query()).token,
  getChannelTokens: (channels) => client.realtime.getChannelTokens.query({ channels: [...channels] }),
});
const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });

createRoot(document.body.appendChild(document.createElement('div'))).render(
  <StrictMode>
    <trpc.Provider client={trpc.createClient({ links })} queryClient={queryClient}>
      <QueryClientProvider client={queryClient}>
        <RealtimeProvider manager={manager} queryClient={queryClient} binding={{ deferMs: 30_000 }}>
          <Notes />
        </RealtimeProvider>
      </QueryClientProvider>
    </trpc.Provider>
  </StrictMode>,
);
