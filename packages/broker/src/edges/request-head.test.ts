import { describe, expect, it } from 'vitest';
import { RequestHeads } from './request-head.ts';

const REQUEST = 'POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\nContent-Length: 2\r\n\r\n{}';
const without = (line: string) => REQUEST.replace(line, '');

describe('the head of a request', () => {
  it('is read up to its body', () => {
    const head = new RequestHeads().read(`${REQUEST}GET / HTTP/1.1\r\n\r\n`);
    expect(head).toMatchObject({ method: 'POST', target: '/api/publish', end: REQUEST.length - 2 });
    expect([...head!.headers]).toEqual([
      ['host', 'x'],
      ['x-api-key', 'key'],
      ['content-length', '2'],
    ]);
  });

  it.each<[string, string]>([
    ['is not complete', REQUEST.slice(0, -4)],
    ['has another method', REQUEST.replace('POST', 'PUT')],
    ['has another version', REQUEST.replace('HTTP/1.1', 'HTTP/1.0')],
    ['has a header twice', REQUEST.replace('Host: x', 'Host: x\r\nhost: y')],
    ['has a folded line', REQUEST.replace('Host: x', 'Host: x\r\n y')],
    ['has a space before a colon', REQUEST.replace('Host:', 'Host :')],
    ['ends a line with half a break', REQUEST.replace('Host: x\r\n', 'Host: x\n')],
    ['has a zero byte', REQUEST.replace('Host: x', 'Host: \0')],
    ['has no name before a colon', REQUEST.replace('Host: x', ': x')],
    ['is longer than 16 kB', REQUEST.replace('Host: x', `Host: ${'x'.repeat(17_000)}`)],
  ])('is left to Node where it %s', (_why, text) => {
    expect(new RequestHeads().read(text)).toBeUndefined();
  });

  it('is the same when it is remembered, and another when a byte differs', () => {
    const heads = new RequestHeads();
    const first = heads.read(REQUEST)!;
    expect(first.isRemembered).toBe(false);
    heads.remember(first, REQUEST);
    const again = heads.read(`${REQUEST.slice(0, -2)}[]`)!;
    expect(again).toEqual({ ...first, isRemembered: true });
    expect(heads.read(REQUEST.replace('key\r', 'kez\r'))).toMatchObject({ isRemembered: false });
    expect(heads.read(without('Host: x\r\n'))?.headers.has('host')).toBe(false);
  });

  it('is not remembered unless it is told so, and never a long one', () => {
    const heads = new RequestHeads();
    const long = REQUEST.replace('Host: x', `Host: ${'x'.repeat(2000)}`);
    heads.remember(heads.read(long)!, long);
    for (const text of [long, REQUEST]) for (let i = 0; i < 3; i++) expect(heads.read(text)?.isRemembered).toBe(false);
  });

  it('is forgotten when there are too many', () => {
    const heads = new RequestHeads();
    const texts = Array.from({ length: 257 }, (_, i) => REQUEST.replace('Length: 2', `Length: ${i}`));
    for (const text of texts) heads.remember(heads.read(text)!, text);
    expect(texts.filter((text) => heads.read(text)?.isRemembered)).toHaveLength(1);
  });
});
