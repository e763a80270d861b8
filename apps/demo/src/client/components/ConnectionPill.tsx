import type { ConnectionState, RealtimeManager } from '@op/realtime/client';
import { useRealtime, useRealtimeStatus } from '@op/realtime/react';

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

interface ConnectionPillProps {
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** Whether what is on screen is what is; opens the drawer that breaks it. */
export function ConnectionPill({ isOpen, onToggle }: ConnectionPillProps) {
  const { state, since, reason } = useRealtimeStatus();
  const manager = useRealtime<RealtimeManager>();
  const { label, tone } = LABELS[state];
  const title = `${state} since ${new Date(since).toLocaleTimeString()}${reason ? `: ${reason.message}` : ''}`;
  return (
    <>
      <button
        type="button"
        className={`pill pill-${tone}`}
        data-state={state}
        title={title}
        aria-expanded={isOpen}
        onClick={onToggle}
      >
        <span className="pill-dot" />
        <output>{label}</output>
      </button>
      {(state === 'failed' || state === 'unauthorized') && (
        <button type="button" className="link" onClick={() => manager.reconnect()}>
          Reconnect
        </button>
      )}
    </>
  );
}
