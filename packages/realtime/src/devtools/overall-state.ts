import type { KnownManager } from './recorder.ts';

/** How each state of a connection is to be seen. */
export const STATE_TONES: Record<string, string> = {
  idle: 'quiet',
  connecting: 'fetch',
  connected: 'live',
  reconnecting: 'stale',
  polling: 'stale',
  unauthorized: 'failed',
  failed: 'failed',
  disposed: 'quiet',
};

/** The page's connections in a word: of several the one that is not well. Those that were disposed of count only where there is no other. */
export function overallState(managers: readonly KnownManager[]): { readonly text: string; readonly tone: string } {
  const all = managers.map(({ status }) => status.state);
  const live = all.filter((state) => state !== 'disposed');
  const states = live.length ? live : all.slice(-1);
  const worst = states.find((state) => state !== 'connected') ?? states[0];
  if (!worst) return { text: 'no manager', tone: 'quiet' };
  return { text: states.length > 1 ? `${states.length} connections` : worst, tone: STATE_TONES[worst] ?? 'quiet' };
}
