import { type ByteString, jsonString } from './byte-string.ts';
import { encodeJson } from './json-message.ts';
import type { Message, Schema } from './schema.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
/** What Go escapes inside of strings, and white space, which it leaves out. The bytes are U+2028 and U+2029. */
const MAY_CHANGE = /[<>&\s]|\xe2\x80[\xa8\xa9]/;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
  ['\xe2\x80\xa8', '\\u2028'],
  ['\xe2\x80\xa9', '\\u2029'],
]);

/**
 * Encodes an answer of the server API as Go's own `encoding/json` does it, which writes those, unlike what writes to clients: data is put on its shortest
 * form with characters escaped that matter to HTML, and backspace and form feed in strings have short escapes.
 */
export function encodeGoJson<S extends Schema>(schema: S, message: Message<S>): ByteString {
  return compact(encodeJson(schema, message, goString));
}

function goString(text: string): ByteString {
  // Every backslash in the result is part of an escape; the first alternative takes the pairs.
  return jsonString(text).replace(/\\\\|\\u000[8c]/g, (found) =>
    found === '\\u0008' ? '\\b' : found === '\\u000c' ? '\\f' : found,
  );
}

function compact(json: ByteString): ByteString {
  if (!MAY_CHANGE.test(json)) return json;
  let text = '';
  let from = 0;
  let isInString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) isInString = !isInString;
    else if (code === BACKSLASH) i++;
    else if (!isInString && code > SPACE) continue;
    else {
      const found = code === 0xe2 ? json.slice(i, i + 3) : json.charAt(i);
      const replacement = isInString ? ESCAPES.get(found) : '';
      if (replacement === undefined) continue;
      text += json.slice(from, i) + replacement;
      i += found.length - 1;
      from = i + 1;
    }
  }
  return text + json.slice(from);
}
