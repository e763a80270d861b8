import { InvalidMessageError } from '../core/errors.ts';

/** A frame over 64 KiB makes the broker end the connection for good; this leaves room for the command around the data. */
const MAX_DATA_BYTES = 63 * 1_024;

/** @throws InvalidMessageError (`invalid_message`): what is larger would cost the whole connection. */
export function checkSize<T>(data: T): T {
  const bytes = new TextEncoder().encode(JSON.stringify(data) ?? '').length;
  if (bytes <= MAX_DATA_BYTES) return data;
  throw new InvalidMessageError(
    `A client may send at most ${MAX_DATA_BYTES} bytes, got ${bytes}. Larger data belongs into a request to the server.`,
  );
}
