import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, useSyncExternalStore } from 'react';
import { readLog, subscribeLog } from '../chaos/event-log.ts';
import { setUnplugged } from '../chaos/pausable-socket.ts';
import { trpc } from '../trpc.ts';

const DELAYS_MS = [0, 500, 2_000] as const;

/** Breaks things on purpose and shows what the window does about it. */
export function ChaosDrawer({ onClose }: { readonly onClose: () => void }) {
  // A broker that is killed in another window cannot say so itself.
  const { data: status } = useQuery(trpc.chaos.status.queryOptions(undefined, { refetchInterval: 5_000 }));
  const [isCut, setIsCut] = useState(false);
  const broker = useMutation(trpc.chaos.setBroker.mutationOptions());
  const delay = useMutation(trpc.chaos.delayApi.mutationOptions());
  const isDown = status?.broker === 'down';

  return (
    <section className="drawer" aria-label="Chaos">
      <div className="drawer-head">
        <h2>Break it, and watch</h2>
        <button type="button" className="link" onClick={onClose}>
          Close
        </button>
      </div>
      <div className="drawer-row">
        <span>
          This window’s socket
          <span className="hint">as if the cable were pulled</span>
        </span>
        <button
          type="button"
          className="button button-quiet"
          aria-pressed={isCut}
          onClick={() => {
            setUnplugged(!isCut);
            setIsCut(!isCut);
          }}
        >
          {isCut ? 'Plug in' : 'Cut'}
        </button>
      </div>
      <div className="drawer-row">
        <span>
          Broker
          <span className="hint">{status?.broker === 'external' ? 'not started by the demo' : 'for all windows'}</span>
        </span>
        <button
          type="button"
          className="button button-quiet"
          disabled={!status || status.broker === 'external' || broker.isPending}
          onClick={() => broker.mutate({ isUp: isDown })}
        >
          {isDown ? 'Start' : 'Kill'}
        </button>
      </div>
      <div className="drawer-row">
        <span>
          Slow API
          <span className="hint">for all windows</span>
        </span>
        <div className="segments">
          {DELAYS_MS.map((delayMs) => (
            <button
              key={delayMs}
              type="button"
              aria-pressed={status?.apiDelayMs === delayMs}
              onClick={() => delay.mutate({ delayMs })}
            >
              {delayMs === 0 ? 'off' : `${delayMs / 1_000} s`}
            </button>
          ))}
        </div>
      </div>
      <Log />
    </section>
  );
}

function Log() {
  const lines = useSyncExternalStore(subscribeLog, readLog);
  return (
    <ol className="log" aria-label="What this window did">
      {lines
        .filter((line) => !line.text.includes('chaos.'))
        .map(({ id, at, kind, text }) => (
          <li key={id} className={`log-${kind}`}>
            <time className="time">{new Date(at).toLocaleTimeString('en-GB')}</time>
            <span>{text}</span>
          </li>
        ))}
    </ol>
  );
}
