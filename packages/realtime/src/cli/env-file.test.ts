import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from './env-file.ts';

const parse = (text: string) => Object.fromEntries(parseEnvFile(text, '.env.test'));

describe('an env file', () => {
  it.each([
    ['comments and empty lines are skipped', '# a\n\nA=1\n  # b\n', { A: '1' }],
    ['a value may hold "=" and "#"', 'A=1=2#3', { A: '1=2#3' }],
    ['a value may be empty', 'A=', { A: '' }],
    ['a value may hold spaces inside, as Centrifugo lists do', 'A=http://a http://b', { A: 'http://a http://b' }],
    ['lines may end as on Windows', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ])('%s', (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['double quotes', 'A="secret"', 'line 1: A is quoted'],
    ['single quotes', "\nA='secret'", 'line 2: A is quoted'],
    ['export', 'export A=secret', 'Docker does not know "export"'],
    ['a bare name', 'A', 'A has no value'],
    ['a space before the "="', 'A =secret', 'expected NAME=value'],
    ['a space behind the "="', 'A= secret', 'A has a space behind the "="'],
    ['a name that is none', '1A=secret', 'expected NAME=value'],
    ['no name', '=secret', 'expected NAME=value'],
    ['a name set twice', 'A=secret\nA=secret', 'line 2: A is set twice'],
  ])('%s are refused, with the line and never the value', (_, text, message) => {
    let thrown: unknown;
    try {
      parse(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'env_file', message: expect.stringContaining(message) });
    expect(String(thrown)).not.toContain('secret');
  });

  it('keeps prototype names as plain names', () => {
    expect([...parseEnvFile('__proto__=1', '.env.test')]).toEqual([['__proto__', '1']]);
  });
});

describe('the .env.test of this package', () => {
  const text = readFileSync(new URL('../../.env.test', import.meta.url), 'utf8');
  const env = parse(text);

  it('has no quotes and no spaces in values, so Docker, a shell and we read the same', () => {
    for (const [name, value] of Object.entries(env)) expect(value, name).toMatch(/^[^\s"'`$\\#]+$/);
  });

  it('gives the broker and the application the same key and secret', () => {
    expect(env.CENTRIFUGO_HTTP_API_KEY).toBe(env.CENTRIFUGO_API_KEY);
    expect(env.CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY).toBe(env.CENTRIFUGO_TOKEN_SECRET);
  });

  it('opens no channel without a grant', () => {
    expect(text).not.toMatch(/ALLOW_SUBSCRIBE|INSECURE/);
  });
});
