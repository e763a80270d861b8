import { describe, expect, it } from 'vitest';
import { compileGoRegex } from './go-regex.ts';

/** Every expectation was seen in Go. */
describe('an expression in the syntax of Go', () => {
  it.each<[source: string, matching: string[], other: string[]]>([
    ['^[a-z0-9_-]+$', ['a-b_1'], ['A', '', 'a\n']],
    ['x(?P<n>[0-9]+)', ['zx5'], ['x']],
    ['(?i)^abc$', ['AbC'], ['abcd']],
    ['(?s)^a.c$', ['a\nc', 'a\rc'], ['ac']],
    ['^a.c$', ['a\rc', 'a\u2028c'], ['a\nc']],
    ['\\Aab\\z', ['ab'], ['ab\n', 'xab']],
    ['(?m)^b$', ['a\nb'], ['ab']],
    ['(?m)\\Ab\\z', ['b'], ['a\nb']],
    ['^[[:alpha:]_]+$', ['aZ_'], ['a1', ':']],
    ['^[[:punct:]]+$', ['!/:@[`{~'], ['a', ' ']],
    ['^a\\-b\\_c\\@d\\:$', ['a-b_c@d:'], ['a-b_c@d']],
    ['^[\\w\\-\\.]+$', ['a-b.c'], ['a b', 'ä']],
    ['^\\s$', [' ', '\n', '\f'], ['\v', '\u00a0']],
    ['^[\\s]$', [' '], ['\v']],
    ['^\\S$', ['\v', 'a'], [' ']],
    ['^[]a]+$', [']a'], ['[']],
    ['^[^]a]+$', ['b['], [']']],
    ['^[]\\-a]+$', [']-a'], ['\\']],
    ['^[a[]+$', ['a['], [']']],
    ['^\\pL+$', ['äb'], ['1']],
    ['^\\x{1F600}$', ['😀'], ['x']],
    ['^.$', ['😀'], ['ab']],
    ['^a/b$', ['a/b'], []],
  ])('%s', (source, matching, other) => {
    const regex = compileGoRegex('option', source);
    for (const text of matching) expect(regex.test(text), text).toBe(true);
    for (const text of other) expect(regex.test(text), text).toBe(false);
  });

  it.each(['(', '[a', '*', 'a**', '(?P<n', '(?U)a', 'a(?i)b', '\\Qa', '\\8', '(?<1>a)'])(
    'that JavaScript cannot say is an error that names the option: %s',
    (source) => {
      expect(() => compileGoRegex('client.token.issuer_regex', source)).toThrow(/client\.token\.issuer_regex/);
    },
  );
});
