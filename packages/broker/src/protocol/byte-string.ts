import { isUtf8 } from 'node:buffer';

/**
 * A byte string is a JavaScript string with one character (0–255) per byte. Bytes that pass through the broker travel in this form:
 * nothing is transcoded on the way, any input survives byte for byte, and V8 keeps it in one byte per character.
 */
export type ByteString = string;

const NOT_ASCII = /[^\0-\x7f]/;

export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/** The UTF-8 bytes of a text. */
export function utf8Bytes(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text whose UTF-8 bytes these are; malformed parts become U+FFFD. */
export function utf8Text(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
/** Characters that matter to HTML and to JavaScript, those with a short escape that Go does not use, and halves of surrogate pairs. */
const ESCAPED = /[<>&\u2028\u2029]|\\[bf\\]|\\ud[89a-f][0-9a-f]{2}/g;

/** A text as a JSON string, in bytes; escaped as Go does it, so that messages are the same byte for byte. */
export function jsonString(text: string): ByteString {
  return PLAIN.test(text) ? `"${text}"` : utf8Bytes(JSON.stringify(text).replace(ESCAPED, escaped));
}

function escaped(found: string): string {
  if (found === '\\\\') return found;
  if (found.length === 6) return '\ufffd';
  const code = found === '\\b' ? 8 : found === '\\f' ? 12 : found.charCodeAt(0);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Received JSON as a byte string. Malformed UTF-8 becomes U+FFFD: passed on as it is, it would cost every receiver its connection. */
export function jsonBytes(received: Buffer): ByteString {
  return isUtf8(received) ? received.toString('latin1') : utf8Bytes(received.toString('utf8'));
}
