import type { ConnectionState } from '@op/realtime/client';
import { useConnectionStatus } from '../realtime/use-connection-status.ts';

const LABELS: Record<ConnectionState, { readonly label: string; readonly tone: 'live' | 'waiting' | 'off' }> = {
  idle: { label: 'Connecting', tone: 'waiting' },
  connecting: { label: 'Connecting', tone: 'waiting' },
  connected: { label: 'Live', tone: 'live' },
  reconnecting: { label: 'Reconnecting', tone: 'waiting' },
  polling: { label: 'Offline', tone: 'off' },
  unauthorized: { label: 'Signed out', tone: 'off' },
  failed: { label: 'Disconnected', tone: 'off' },
  disposed: { label: 'Disconnected', tone: 'off' },
};

/** Whether what is on screen is what is. */
export function ConnectionPill() {
  const { state, since, reason } = useConnectionStatus();
  const { label, tone } = LABELS[state];
  const title = `${state} since ${new Date(since).toLocaleTimeString()}${reason ? `: ${reason.message}` : ''}`;
  return (
    <output className={`pill pill-${tone}`} data-state={state} title={title}>
      <span className="pill-dot" />
      {label}
    </output>
  );
}
