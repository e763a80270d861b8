import type { RealtimeEvent } from './events.ts';

/** Those who are told; empty nearly always, so ask `size` before making an event. */
export type Observers<E extends RealtimeEvent> = ReadonlySet<(event: E) => void>;

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
