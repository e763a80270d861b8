import type { TransportHeaders } from '../core/peer.ts';
import type { UpgradeRequest } from './websocket-handshake.ts';

/** The headers of a request that proxies pass on. Those that nobody asks for are not kept for the life of a connection. */
export function transportHeaders(
  { headers }: Pick<UpgradeRequest, 'headers'>,
  wanted: ReadonlySet<string>,
): TransportHeaders {
  if (wanted.size === 0) return undefined;
  const kept = new Map<string, string>();
  for (const name of wanted) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return kept;
}
