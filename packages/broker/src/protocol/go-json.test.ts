import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryResult } from './api-schema.ts';
import { utf8Bytes, utf8Text } from './byte-string.ts';
import { encodeGoJson } from './go-json.ts';

const encode = (data: string, tag?: string): string =>
  utf8Text(
    encodeGoJson(HistoryResult, {
      publications: [{ data: utf8Bytes(data), ...(tag === undefined ? {} : { tags: new Map([['t', tag]]) }) }],
      epoch: 'e',
      offset: 1,
    } as never),
  );
const dataOf = (data: string): string => /"data":(.*?)\}\],/s.exec(encode(data))![1]!;

describe('answers of the server API', () => {
  it.each([
    ['"<>&"', String.raw`"\u003c\u003e\u0026"`],
    ['"\u2028\u2029\u2027é"', `${String.raw`"\u2028\u2029`}\u2027é"`],
    ['{ "a" : [ 1 ,\t2 ] }', '{"a":[1,2]}'],
    ['" a "', '" a "'],
    [String.raw`"\b\u0008\/\"< \\"`, String.raw`"\b\u0008\/\"\u003c \\"`],
    ['12', '12'],
  ])('have the data %s as %s', (data, expected) => expect(dataOf(data)).toBe(expected));

  it('have backspace and form feed in strings as short escapes, and no half of a pair', () => {
    expect(encode('1', '\b\f\u0001\\u0008"<\ud800')).toContain(`${String.raw`"t":"\b\f\u0001\\u0008\"\u003c`}\ufffd"`);
  });

  it('mean the same as the data given, whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, 4), (json, indent) => {
        const value: unknown = JSON.parse(json);
        const read = JSON.parse(encode(JSON.stringify(value, undefined, indent))) as {
          publications: { data: unknown }[];
        };
        expect(read.publications[0]!.data).toEqual(value);
      }),
    );
  });
});
