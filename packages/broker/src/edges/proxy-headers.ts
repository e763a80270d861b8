import type { AppProxy } from '../core/proxy-options.ts';
import { utf8Bytes } from '../protocol/byte-string.ts';

/** They belong to one connection, and the request to the application is another. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers of a request to the application, by name in lower case: static ones, over them what the client says in its connect command,
 * over them those of its own request; of the latter two only what the proxy lists.
 */
export function proxyHeaders(
  proxy: AppProxy,
  transport: ReadonlyMap<string, string> | undefined,
  emulated: ReadonlyMap<string, string> | undefined,
): Record<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(proxy.staticHeaders)) headers.set(name.toLowerCase(), utf8Bytes(value));
  for (const [name, value] of emulated ?? [])
    if (proxy.emulatedHeaders.includes(name)) headers.set(name, utf8Bytes(value));
  for (const [name, value] of transport ?? []) if (proxy.httpHeaders.includes(name)) headers.set(name, value);
  for (const name of OF_THE_CONNECTION) headers.delete(name);
  headers.set('content-type', 'application/json');
  return Object.fromEntries(headers);
}
