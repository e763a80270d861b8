import { timingSafeEqual } from 'node:crypto';

/** What of a request says who calls. */
export interface Credentials {
  readonly xApiKey: string | undefined;
  readonly authorization: string | undefined;
  /** The raw query, without `?`. */
  readonly query: string;
}

/**
 * Whether a request carries the API key: as `X-API-Key`, else as `Authorization: apikey …`; else as `api_key` in the query.
 * A wrong `X-API-Key` hides a right `Authorization`, as on Centrifugo. Comparison takes the same time wherever the difference is.
 */
export function createKeyCheck(key: string): (credentials: Credentials) => boolean {
  const expected = Buffer.from(key);
  const matches = (given: string | undefined) => {
    if (given === undefined || key === '') return false;
    const bytes = Buffer.from(given, 'latin1');
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  };
  return ({ xApiKey, authorization, query }) => {
    if (xApiKey ? matches(xApiKey) : matches(keyOf(authorization))) return true;
    return query !== '' && matches(new URLSearchParams(query).get('api_key') ?? undefined);
  };
}

function keyOf(authorization: string | undefined): string | undefined {
  const parts = authorization?.trim().split(/\s+/) ?? [];
  return parts.length === 2 && parts[0]!.toLowerCase() === 'apikey' ? parts[1] : undefined;
}
