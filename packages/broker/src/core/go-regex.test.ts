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
    ['^(?:a|b)+c?$', ['abc', 'ba'], ['c', '']],
    ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
    ['^a{0}b$', ['b'], ['ab']],
    ['^a{2,}$', ['aaaa'], ['a']],
    ['^a{,2}]}$', ['a{,2}]}'], ['aa]}']],
    ['a(?i)b', ['aB', 'ab'], ['AB']],
    ['(?i:a)b', ['Ab'], ['AB']],
    ['(?i)a(?-i)b', ['Ab'], ['AB']],
    ['(?:(?i)a)b', ['Ab'], ['AB']],
    ['(?i)^[k]$', ['K', '\u212a'], ['j']],
    ['(?i)^[^k]$', ['j'], ['K', '\u212a']],
    ['(?i)^\\w$', ['\u017f'], ['ä']],
    ['(?i)^\\W$', ['ä'], ['\u017f']],
    ['(?i)^\\P{Lu}$', ['1'], ['a', 'A']],
    ['(?U)^a+$', ['aa'], ['b']],
    ['^\\Qa.b\\E$', ['a.b'], ['axb']],
    ['^\\Qa+', ['a+b'], ['aa']],
    ['(?P<a>x)(?P<a>y)', ['xy'], ['x']],
    ['^[[:^alpha:]]$', ['1'], ['a']],
    ['^\\p{Greek}\\p{^Greek}$', ['αa'], ['aα', 'αα']],
    ['^\\123\\0$', ['S\0'], ['S']],
    ['\\ba\\b', ['a', '-a-', 'äaä'], ['ab', '_a']],
    ['\\Ba', ['ba'], ['a', '-a']],
    ['^*a', ['a', 'ba'], []],
    ['^(?:a||b)$', ['', 'a', 'b'], ['c']],
    ['^()*$', [''], ['a']],
    ['^[a-b-c]$', ['-', 'c', 'b'], ['d']],
    ['(?m)^$', ['', 'a\n\nb'], ['a']],
  ])('%s', (source, matching, other) => {
    const regex = compileGoRegex('option', source);
    for (const text of matching) expect(regex.test(text), text).toBe(true);
    for (const text of other) expect(regex.test(text), text).toBe(false);
  });

  it.each([
    ...[
      '(',
      ')',
      'a)',
      '[a',
      '[]',
      '[^]',
      '*',
      '|*',
      '{2}',
      'a**',
      'a{2}{3}',
      'a*+',
      'a{2,1}',
      'a{1001}',
      '(a{100}){11}',
    ],
    ...[
      '(?P<n',
      '(?P<>a)',
      '(?P=n)',
      '(?<1-2>a)',
      '(?<=a)',
      '(?<!a)',
      '(?=a)',
      '(?!a)',
      '(?>a)',
      '(?#a)',
      '(?x)a',
      '(?i-)a',
    ],
    ...[
      '\\',
      '\\1',
      '\\8',
      '\\y',
      '\\Z',
      '\\C',
      '\\cA',
      '\\u0041',
      '\\x4',
      '\\x{110000}',
      '\\ä',
      '[\\b]',
      '[z-a]',
      '[a-\\d]',
    ],
    ...['\\p{Klingon}', '\\p{Script=Greek}', '\\p{', '[[:nope:]]'],
  ])('that Go does not take is an error that names the option: %s', (source) => {
    expect(() => compileGoRegex('client.token.issuer_regex', source)).toThrow(/client\.token\.issuer_regex/);
  });

  it('takes no more time for a text than its length asks for', () => {
    // The engine of JavaScript would not come to an end within the age of the universe.
    expect(compileGoRegex('option', '^(a|a)*$').test(`${'a'.repeat(5000)}!`)).toBe(false);
    expect(compileGoRegex('option', '^(([a-z])+.)+[A-Z]$').test('a'.repeat(5000))).toBe(false);
  });

  it('may nest and repeat as far as Go lets it', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`;
    expect(compileGoRegex('option', nested(900)).test('a')).toBe(true);
    expect(() => compileGoRegex('option', nested(1100))).toThrow(/nested/);
    expect(compileGoRegex('option', '^a{1000}$').test('a'.repeat(1000))).toBe(true);
    expect(() => compileGoRegex('option', '[a-z]{1000}'.repeat(600))).toThrow(/repetitions/);
  });
});
