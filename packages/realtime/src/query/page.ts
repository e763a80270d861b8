/** Whether anybody looks at the page; TanStack Query's `focusManager` is one. */
export interface FocusSource {
  /** `false`: queries are marked, and fetched when it changes. */
  isFocused(): boolean;
  /** Calls back at each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** Whether the network is there; TanStack Query's `onlineManager` is one. */
export interface OnlineSource {
  /** `false`: queries are marked, except those with `networkMode: 'always'`. */
  isOnline(): boolean;
  /** Calls back at each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

function listen(target: EventTarget | undefined, events: readonly string[], listener: () => void): () => void {
  for (const event of events) target?.addEventListener(event, listener);
  return () => {
    for (const event of events) target?.removeEventListener(event, listener);
  };
}

/** The page itself. Without a `document` (a server, a worker) it always looks focused. */
export const documentFocus: FocusSource = {
  isFocused: () => typeof document === 'undefined' || document.visibilityState !== 'hidden',
  subscribe: (listener) =>
    listen(typeof document === 'undefined' ? undefined : document, ['visibilitychange'], listener),
};

/** The browser's opinion of the network. Where there is none it always looks online. */
export const browserNetwork: OnlineSource = {
  isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
  subscribe: (listener) => listen(typeof window === 'undefined' ? undefined : window, ['online', 'offline'], listener),
};

/** The page and the manager outlive the client and must not keep it. A function of its own: closures of one scope keep each other's variables. */
export function followPage(
  refetcher: { returned(): void },
  subscriptions: ReadonlyMap<string, () => void>,
  focus: FocusSource,
  network: OnlineSource,
  ends: (() => void)[],
): void {
  const weak = new WeakRef(refetcher);
  const returned = () => weak.deref()?.returned();
  ends.push(focus.subscribe(returned), network.subscribe(returned), () => {
    for (const end of subscriptions.values()) end();
  });
}
