import { Channels } from '@op/realtime';
import { RealtimeManager } from '@op/realtime/client';
import { RealtimeProvider, useChannel, useRealtimeStatus } from '@op/realtime/react';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

declare global {
  interface Window {
    /** Given by whoever opens the page. */
    readonly settings: { readonly wsUrl: string; readonly token: string };
  }
}

const manager = RealtimeManager.initialize({
  wsUrl: window.settings.wsUrl,
  getToken: async () => window.settings.token,
});
const queryClient = new QueryClient();

function Page() {
  const { state } = useRealtimeStatus();
  const [heard, setHeard] = useState('nothing');
  const channel = useChannel(Channels.user('7'), ({ type }) => setHeard(type));
  return (
    <p>
      {state}, {channel.state}, heard {heard}
    </p>
  );
}

createRoot(document.body).render(
  <QueryClientProvider client={queryClient}>
    <RealtimeProvider manager={manager} queryClient={queryClient}>
      <Page />
    </RealtimeProvider>
  </QueryClientProvider>,
);
