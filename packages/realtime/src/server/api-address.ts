import { ConfigError } from '../core/errors.ts';

/**
 * The address of the server API without a trailing slash, so that `${address}/publish` is a method. A base with and one without `/api` mean the same.
 *
 * @param value such as `http://localhost:8000/api` or `http://localhost:8000`
 * @param name what the value is called where it is configured, for the error
 * @throws ConfigError (`invalid_config`); the value is not in the message, as it may carry a password
 */
export function parseApiAddress(value: string, name: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new ConfigError(`${name} must be an http or https address, like http://localhost:8000/api.`);
  if (url.username || url.password || url.search || url.hash)
    throw new ConfigError(
      `${name} must have no user info, query or fragment. The key is configured apart from the address.`,
    );
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path.endsWith('/api') ? path : `${path}/api`}`;
}

/**
 * A key as it may travel in a header.
 * @throws ConfigError (`invalid_config`). Checked here because `fetch` would print the key in its error.
 */
export function parseApiKey(value: string, name: string): string {
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new ConfigError(`${name} must consist of printable ASCII characters without spaces.`);
  return value;
}
