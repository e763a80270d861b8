import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startLog } from './chaos/event-log.ts';
import { App } from './components/App.tsx';
import { PersonChooser } from './components/PersonChooser.tsx';
import { connectRealtime } from './realtime/connect.ts';
import { personId, queryClient } from './trpc.ts';
import './styles/tokens.css';
import './styles/layout.css';
import './styles/parts.css';

if (personId) {
  connectRealtime();
  startLog(queryClient);
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      {personId ? <App personId={personId} /> : <PersonChooser />}
    </QueryClientProvider>
  </StrictMode>,
);
