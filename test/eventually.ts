import { vi } from 'vitest';

/** Waits until the condition throws no more. As long as a busy machine needs: a limit that is near to what an idle one takes fails for no reason. */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { timeout: 60_000, interval: 10 });
}
