import type { ByteString } from '../protocol/byte-string.ts';
import type { ResolvedChannelOptions } from './channel-options.ts';

function parse(data: ByteString): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether the bytes are JSON. Latin-1 and UTF-8 agree on everything that JSON gives a meaning to. */
export function isJson(data: ByteString): boolean {
  return parse(data) !== undefined;
}

/** Whether a publication may have this data. */
export function isAcceptable(data: ByteString, format: ResolvedChannelOptions['publicationDataFormat']): boolean {
  if (format === 'binary') return true;
  if (format === undefined) return data !== '';
  const value = parse(data);
  if (format === 'json') return value !== undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
