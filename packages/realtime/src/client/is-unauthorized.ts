/**
 * Whether an error of `getToken` or `getChannelTokens` says "this user may not": our own `UnauthorizedError` (by its code, so that a second
 * copy of the library counts too), or a tRPC client error whose answer was 401 or 403.
 */
export function isUnauthorized(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, data } = error as { code?: unknown; data?: unknown };
  if (code === 'unauthorized') return true;
  const status = typeof data === 'object' && data !== null ? (data as { httpStatus?: unknown }).httpStatus : undefined;
  return status === 401 || status === 403;
}
