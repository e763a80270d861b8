import type { QueryClient } from '@tanstack/query-core';
import type { RealtimeClient, Unsubscribe } from '../client/types.ts';
import type { BindingEvent, RealtimeObserver } from '../core/events.ts';
import type { QueryKey } from '../core/message.ts';
import { observe } from '../core/observers.ts';
import { type Answers, type CallListener, sharedAnswers } from './answers.ts';
import type { Binding, EarlyEvent } from './binding.ts';
import type { BindingOptions } from './binding-options.ts';
import { type QueryFreshness, UNBOUND } from './query-freshness.ts';

/** The tie between a query client and a manager. */
export interface QueryBinding {
  /** What may be said about the query with this key now. The same object as long as nothing changes. */
  status(queryKey: QueryKey): QueryFreshness;
  /** Called whenever the status of some query may have changed. */
  subscribe(listener: () => void): Unsubscribe;
  /** Tells what happens to the queries, and why; see `RealtimeEvent`. Begins with the first answer that names a channel; costs nothing while nobody observes. */
  observe(observer: RealtimeObserver<BindingEvent>): Unsubscribe;
  /** Leaves every channel and ends every timer. The cache stays as it is. */
  dispose(): void;
}

/** How much of what happened before the rest was loaded is remembered; older events leave. */
const MAX_EARLY = 256;

/** Keeps the binding of a client as long as the client, and no longer. */
const bindings = new WeakMap<QueryClient, ClientBinding>();

const collected = /* @__PURE__ */ new FinalizationRegistry<readonly (() => void)[]>((ends) => {
  for (const end of ends) end();
});

/**
 * Keeps the queries of a TanStack Query client fresh: each query whose answer names channels joins them while it is in use, and is refetched once when something
 * on them makes it stale. Does nothing, and loads nothing, before the first such answer. Binding a client again replaces its binding.
 *
 * ```ts
 * const queryClient = new QueryClient();
 * bindQueryClient(queryClient, RealtimeManager.getInstance());
 * ```
 */
export function bindQueryClient(
  queryClient: QueryClient,
  manager: RealtimeClient,
  options: BindingOptions = {},
): QueryBinding {
  bindings.get(queryClient)?.dispose();
  const binding = new ClientBinding(queryClient, manager, options);
  bindings.set(queryClient, binding);
  return binding;
}

/** The binding of a client, if it has one. */
export function bindingOf(queryClient: QueryClient): QueryBinding | undefined {
  return bindings.get(queryClient);
}

/** The part that is always there: it waits for the first thing to do, and then loads the rest. */
class ClientBinding implements QueryBinding {
  core: Binding | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #observers = new Set<RealtimeObserver<BindingEvent>>();
  readonly #ends: (() => void)[] = [];
  readonly #load: () => void;
  #early: EarlyEvent[] = [];
  #isLoading = false;
  #isDisposed = false;

  constructor(client: QueryClient, manager: RealtimeClient, options: BindingOptions) {
    const { answers = sharedAnswers() } = options;
    const listener = follow(this, answers, manager, this.#ends);
    collected.register(this, this.#ends);
    this.#load = () => {
      if (this.#isLoading) return;
      this.#isLoading = true;
      import('./binding.ts').then(
        ({ Binding }) => {
          if (this.#isDisposed) return;
          const changed = () => {
            for (const notify of [...this.#listeners]) notify();
          };
          this.core = new Binding({
            client,
            manager,
            options,
            answers,
            listener,
            early: this.#early,
            changed,
            ends: this.#ends,
            observers: this.#observers,
          });
          this.#early = [];
        },
        () => {
          this.#isLoading = false; // offline, or a new deployment: the next answer tries again
        },
      );
    };
    if (answers.isUsed) this.#load();
  }

  status(queryKey: QueryKey): QueryFreshness {
    return this.core?.status(queryKey) ?? UNBOUND;
  }

  subscribe(listener: () => void): Unsubscribe {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  observe(observer: RealtimeObserver<BindingEvent>): Unsubscribe {
    return observe(this.#observers, observer);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.core?.dispose();
    this.core = null;
    for (const end of this.#ends.splice(0)) end(); // and none is left for `collected`
  }

  on(event: EarlyEvent): void {
    if (this.core) this.core.on(event);
    else if (event.type !== 'called') {
      this.#early.push(event);
      if (this.#early.length > MAX_EARLY) this.#early.shift();
      if (event.type === 'answered' || event.type === 'message') this.#load();
    }
  }
}

/**
 * Has a binding told what happens. The manager and the link outlive the client and must not keep it. A function of its own: closures of one scope keep each other's
 * variables.
 */
function follow(binding: ClientBinding, answers: Answers, manager: RealtimeClient, ends: (() => void)[]): CallListener {
  const weak = new WeakRef(binding);
  const listener: CallListener = {
    tick: () => weak.deref()?.core?.tick() ?? 0,
    on: (event) => weak.deref()?.on(event),
  };
  answers.listeners.add(listener);
  ends.push(
    () => answers.listeners.delete(listener),
    manager.onMessage((message, publication) => weak.deref()?.on({ type: 'message', message, publication })),
  );
  return listener;
}
