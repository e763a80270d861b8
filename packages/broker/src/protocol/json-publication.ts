import { type ByteString, jsonString } from './byte-string.ts';
import { encodeJson } from './json-message.ts';
import { onOneLine } from './json-scan.ts';
import { ClientInfo, type Publication } from './schema.ts';

/** The members of a publication object, without its braces. Written by hand: this runs once per publication and encoding. */
export function publicationMembers(
  { data = 'null', info, offset, tags, epoch, version }: Omit<Publication, 'time' | 'channel' | 'delta'>,
  isDelta: boolean | undefined,
): ByteString {
  let text = `"data":${onOneLine(data)}`;
  if (info) text += `,"info":${encodeJson(ClientInfo, info)}`;
  if (offset) text += `,"offset":${offset}`;
  if (tags?.size) text += `,"tags":${jsonTags(tags)}`;
  if (isDelta) text += ',"delta":true';
  if (epoch) text += `,"epoch":"${epoch}"`;
  if (version) text += `,"version":${version}`;
  return text;
}

function jsonTags(tags: ReadonlyMap<string, string>): ByteString {
  return `{${[...tags].map(([key, value]) => `${jsonString(key)}:${jsonString(value)}`).join(',')}}`;
}
