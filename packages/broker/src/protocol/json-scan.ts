/**
 * Finds the parts of a JSON text without changing them. Only for text that `JSON.parse` has accepted:
 * parsing says that it is well-formed, the scan says where things are, so that `data` passes through byte for byte.
 */

import { type ByteString, utf8Text } from './byte-string.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 34;
const BACKSLASH = 92;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** Index of the first character at or after `at` that is not white space. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

/** Index just behind the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1);
  while (quote !== -1) {
    let slash = quote - 1;
    while (text.charCodeAt(slash) === BACKSLASH) slash--;
    if ((quote - slash) % 2 === 1) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

/** Index just behind the value that starts at `at`. */
export function valueEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return stringEnd(text, at);
  if (first === 123 || first === 91) {
    let depth = 0;
    for (let i = at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) i = stringEnd(text, i) - 1;
      else if (code === 123 || code === 91) depth++;
      else if ((code === 125 || code === 93) && --depth === 0) return i + 1;
    }
    return text.length;
  }
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 44 || code === 125 || code === 93 || isSpace(code)) break;
    i++;
  }
  return i;
}

/**
 * The value of the last member of this name in the object that opens at `at`.
 * @param isExact whether case matters; it does not for field names, as Centrifugo reads them
 */
export function memberSpan(text: string, at: number, name: string, isExact = false): Span | undefined {
  let found: Span | undefined;
  let i = skipSpace(text, at + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const keyEnd = stringEnd(text, i);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    if (isKey(text, i, keyEnd, name, isExact)) found = { start, end };
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== 44) break;
    i = skipSpace(text, i + 1);
  }
  return found;
}

function isKey(text: string, start: number, end: number, name: string, isExact: boolean): boolean {
  if (end - start === name.length + 2 && text.startsWith(name, start + 1)) return true;
  const key: unknown = JSON.parse(utf8Text(text.slice(start, end)));
  return typeof key === 'string' && (isExact ? key : key.toLowerCase()) === name;
}

/** The items of the array that opens at `at`. */
export function itemSpans(text: string, at: number): Span[] {
  const items: Span[] = [];
  let i = skipSpace(text, at + 1);
  while (i < text.length && text.charCodeAt(i) !== 93) {
    const end = valueEnd(text, i);
    items.push({ start: i, end });
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== 44) break;
    i = skipSpace(text, i + 1);
  }
  return items;
}

/** JSON without its line feeds: it allows them only as white space between tokens, and a frame separates its messages by them. */
export function onOneLine(json: ByteString): ByteString {
  return json.includes('\n') ? json.replaceAll('\n', '') : json;
}

/** The raw text of a value, on one line. */
export function cut(text: string, span: Span): string {
  return onOneLine(text.slice(span.start, span.end));
}
