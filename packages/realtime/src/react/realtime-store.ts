import type { RealtimeClient, RealtimeStatus, Unsubscribe } from '../client/types.ts';
import type { QueryKey } from '../core/message.ts';
import type { QueryBinding } from '../query/bind-query-client.ts';
import { type QueryFreshness, UNBOUND } from '../query/query-freshness.ts';

/** What a server renders, and the first render of a page that hydrates. */
export const SERVER_STATUS: RealtimeStatus = { state: 'idle', since: 0, reason: null };

/** What the hooks read: the manager, and the binding of the query client while there is one. Works without React. */
export class RealtimeStore {
  readonly manager: RealtimeClient;
  #binding: QueryBinding | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(manager: RealtimeClient) {
    this.manager = manager;
  }

  /** Holds the binding until the returned function is called, which disposes of it. */
  readonly hold = (binding: QueryBinding): Unsubscribe => {
    this.#binding = binding;
    const end = binding.subscribe(this.#notify);
    this.#notify();
    return () => {
      end();
      binding.dispose();
      if (this.#binding === binding) this.#binding = null;
      this.#notify();
    };
  };

  readonly onFreshness = (listener: () => void): Unsubscribe => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  freshness(queryKey: QueryKey): QueryFreshness {
    return this.#binding?.status(queryKey) ?? UNBOUND;
  }

  readonly onStatus = (listener: () => void): Unsubscribe => this.manager.onStatus(listener);
  readonly status = (): RealtimeStatus => this.manager.status;

  readonly #notify = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };
}
