import { describe, expect, it } from 'vitest';
import { isGlob, matchesGlob } from './glob.ts';

describe('a pattern', () => {
  it.each([
    ['http://localhost:3000', 'http://localhost:3000', true],
    ['http://localhost:3000', 'http://localhost:30001', false],
    ['https://*.example.com', 'https://a.b.example.com', true],
    ['https://*.example.com', 'https://example.com', false],
    ['https://*.example.com', 'https://a.example.com.evil.org', false],
    ['https://example.com', 'https://exampleXcom', false],
    ['*', 'null', true],
    ['trpc:?', 'trpc:1', true],
    ['trpc:?', 'trpc:12', false],
    ['[ab]c', 'bc', true],
    ['[!ab]c', 'bc', false],
    ['[a-c]', 'b', true],
    ['[!a-c]', 'b', false],
    ['[^a]', '^', true],
    ['[-a]', '-', true],
    ['{cat,dog}s', 'dogs', true],
    ['{cat,dog}s', 'cows', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a.b', 'axb', false],
    ['a+(b)|c^$', 'a+(b)|c^$', true],
    ['', '', true],
    ['', 'x', false],
  ])('%s on %s: %s', (pattern, text, expected) => expect(matchesGlob(pattern, text)).toBe(expected));

  it.each(['[o', '[]', '[!]', '{a', '[z-a]', '[a-cx]', '[a-]'])('%s is none', (pattern) => {
    expect(isGlob(pattern)).toBe(false);
    expect(matchesGlob(pattern, pattern)).toBe(false);
  });
});
