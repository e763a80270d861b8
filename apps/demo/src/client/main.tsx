import { RealtimeDevtools } from '@op/realtime/devtools';
import { RealtimeProvider } from '@op/realtime/react';
import { QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startLog } from './chaos/event-log.ts';
import { App } from './components/App.tsx';
import { PersonChooser } from './components/PersonChooser.tsx';
import { connectRealtime } from './realtime.ts';
import { personId, queryClient } from './trpc.ts';
import './styles/tokens.css';
import './styles/layout.css';
import './styles/parts.css';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>{personId ? renderApp(personId) : <PersonChooser />}</QueryClientProvider>
  </StrictMode>,
);

function renderApp(id: string): ReactNode {
  const manager = connectRealtime();
  startLog(manager, queryClient);
  return (
    <RealtimeProvider manager={manager} queryClient={queryClient}>
      <App personId={id} />
      <RealtimeDevtools />
    </RealtimeProvider>
  );
}
