/** Shorter absences need no proof. */
const MIN_HIDDEN_MS = 10_000;

interface ResumeListener {
  network(isOnline: boolean): void;
  /** The page was hidden for a while, or came back from the browser's cache. */
  resumed(): void;
}

/** Whether somebody can see the page; on a server everybody can. */
export function isPageVisible(): boolean {
  return typeof document === 'undefined' || document.visibilityState !== 'hidden';
}

/** Tells when the connection may have died unnoticed. Without a browser it tells nothing. Returns the end of it. */
export function watchResume(listener: ResumeListener, now: () => number): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined' || !window.addEventListener) return () => {};
  const ended = new AbortController();
  const { signal } = ended;
  let hiddenAtMs = isPageVisible() ? null : now();
  window.addEventListener('online', () => listener.network(true), { signal });
  window.addEventListener('offline', () => listener.network(false), { signal });
  window.addEventListener('pageshow', (event) => event.persisted && listener.resumed(), { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      const sinceMs = hiddenAtMs;
      hiddenAtMs = isPageVisible() ? null : now();
      if (sinceMs !== null && hiddenAtMs === null && now() - sinceMs >= MIN_HIDDEN_MS) listener.resumed();
    },
    { signal },
  );
  return () => ended.abort();
}
