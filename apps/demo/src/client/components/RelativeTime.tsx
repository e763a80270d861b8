import { useSyncExternalStore } from 'react';
import { relativeTime } from '../relative-time.ts';

const TICK_MS = 20_000;

/** One ticker for all times on the page; the snapshot is the number of ticks, so nothing renders in between. */
const subscribe = (listener: () => void) => {
  const timer = setInterval(listener, TICK_MS);
  return () => clearInterval(timer);
};
const readTick = () => Math.floor(Date.now() / TICK_MS);

export function RelativeTime({ at }: { readonly at: string }) {
  useSyncExternalStore(subscribe, readTick);
  const date = new Date(at);
  return (
    <time className="time" dateTime={at} title={date.toLocaleString()}>
      {relativeTime(date, new Date())}
    </time>
  );
}
