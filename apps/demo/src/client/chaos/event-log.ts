import type { RealtimeClient } from '@op/realtime/client';
import type { QueryClient } from '@tanstack/react-query';

/** One line of what happened in this window. */
export interface LogLine {
  readonly id: number;
  readonly at: number;
  readonly kind: 'connection' | 'refetch';
  readonly text: string;
}

const MAX_LINES = 60;

let lines: readonly LogLine[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function add(kind: LogLine['kind'], text: string): void {
  lines = [{ id: nextId++, at: Date.now(), kind, text }, ...lines].slice(0, MAX_LINES);
  for (const listener of [...listeners]) listener();
}

export const readLog = (): readonly LogLine[] => lines;

export function subscribeLog(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Writes down the connection's states and every fetch of a query, from start-up on. */
export function startLog(manager: RealtimeClient, queryClient: QueryClient): void {
  manager.onStatus(({ state, reason }) =>
    add('connection', reason && state !== 'connected' ? `${state}: ${reason.message}` : state),
  );
  queryClient.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'fetch') return;
    const [path] = event.query.queryKey;
    const verb = event.query.state.dataUpdateCount === 0 ? 'fetch' : 'refetch';
    add('refetch', `${verb} ${Array.isArray(path) ? path.join('.') : String(path)}`);
  });
}
