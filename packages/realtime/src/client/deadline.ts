import type { Clock } from '../core/clock.ts';
import { RealtimeError } from '../core/errors.ts';

/**
 * What `start` gives, or a `timeout` error after `timeoutMs`; a later answer is ignored. A `start` that throws at once rejects too.
 * @param name what is waited for, for the error's text
 */
export function withDeadline<T>(clock: Clock, timeoutMs: number, name: string, start: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () =>
      reject(new RealtimeError('timeout', `${name} did not answer within ${timeoutMs} ms.`)),
    );
    new Promise<T>((started) => started(start())).then(resolve, reject).finally(cancel);
  });
}
