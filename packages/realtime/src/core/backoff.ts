import type { Random } from './clock.ts';

/** The pause before attempt `attempt` (0 is the first repetition): full jitter between `minMs` and a bound that doubles up to `maxMs`. */
export function backoffMs(attempt: number, { minMs, maxMs }: { minMs: number; maxMs: number }, random: Random): number {
  const bound = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return minMs + random() * Math.max(0, bound - minMs);
}
