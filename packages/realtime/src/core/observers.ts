import type { RealtimeEvent, RealtimeObserver } from './events.ts';

/** Those who are told; empty nearly always, so ask `size` before making an event. */
export type Observers<E extends RealtimeEvent> = ReadonlySet<RealtimeObserver<E>>;

/** Adds one. A function of its own each time, so that the same observer twice is two. Returns its end. */
export function observe<E extends RealtimeEvent>(
  observers: Set<RealtimeObserver<E>>,
  observer: RealtimeObserver<E>,
): () => void {
  const own = (event: E) => observer(event);
  observers.add(own);
  return () => observers.delete(own);
}

/** Tells all. One that throws is reported and stops nobody; least of all what is being observed. */
export function tell<E extends RealtimeEvent>(observers: Observers<E>, event: E): void {
  for (const observer of [...observers]) {
    try {
      observer(event);
    } catch (cause) {
      console.error('[@op/realtime] An observer threw.', cause);
    }
  }
}
