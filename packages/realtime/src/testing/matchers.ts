import type { Message, QueryKey } from '../core/message.ts';
import type { QueryBinding } from '../query/bind-query-client.ts';
import type { TestClient } from './create-test-realtime.ts';
import type { Recorder } from './recorder.ts';

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * What the matchers add to `expect`. For their types in Vitest:
 *
 * ```ts
 * declare module 'vitest' {
 *   interface Matchers<T> extends RealtimeMatchers<T> {}
 * }
 * ```
 */
export interface RealtimeMatchers<R> {
  /** Of a `TestClient`: its manager has a connection. */
  toBeConnected(): R;
  /** Of a `TestClient`: the broker delivers this channel to it. */
  toHaveJoined(channel: string): R;
  /** Of a `Recorder`: it was handed exactly these messages, in this order. */
  toHaveReceived(messages: readonly Message[]): R;
  /** Of what `bindQueryClient` returned: the query with this key is live. */
  toBeLive(queryKey: QueryKey): R;
  /** Of what `bindQueryClient` returned: something newer than the query with this key is known to exist. */
  toBeStale(queryKey: QueryKey): R;
}

/** Matchers for Vitest and Jest: `expect.extend(realtimeMatchers)`. */
export const realtimeMatchers = {
  toBeConnected: ({ manager }: TestClient) => {
    const { state, reason } = manager.status;
    return result(
      state === 'connected',
      'the client',
      'be connected',
      `${state}${reason ? ` (${reason.message})` : ''}`,
    );
  },
  toHaveJoined: ({ channels }: TestClient, channel: string) =>
    result(channels.includes(channel), 'the client', `have joined ${channel}`, list(channels)),
  toHaveReceived: ({ messages }: Recorder, expected: readonly Message[]) =>
    result(
      JSON.stringify(messages) === JSON.stringify(expected),
      'the subscription',
      `have received ${JSON.stringify(expected)}`,
      JSON.stringify(messages),
    ),
  toBeLive: (binding: QueryBinding, queryKey: QueryKey) => freshness(binding, queryKey, 'live'),
  toBeStale: (binding: QueryBinding, queryKey: QueryKey) => freshness(binding, queryKey, 'stale'),
};

function freshness(binding: QueryBinding, queryKey: QueryKey, wanted: 'live' | 'stale'): MatcherResult {
  const { state, detail } = binding.status(queryKey);
  return result(state === wanted, `the query ${JSON.stringify(queryKey)}`, `be ${wanted}`, `${state} (${detail})`);
}

/** One text for both, as the runner prints it where `pass` is not what was asked for. */
function result(pass: boolean, subject: string, wanted: string, got: string): MatcherResult {
  return { pass, message: () => `Expected ${subject} ${pass ? 'not ' : ''}to ${wanted}, got ${got}.` };
}

function list(names: readonly string[]): string {
  return names.length ? names.join(', ') : 'none';
}
