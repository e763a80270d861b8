import { expect, it } from 'vitest';
import { emulatedHeaders } from '../core/emulated-headers.ts';
import { resolveOptions } from '../core/settings.ts';
import { proxyHeaders } from './proxy-headers.ts';

const { proxies } = resolveOptions({
  client: {
    proxy: {
      connect: {
        enabled: true,
        endpoint: 'http://app/',
        httpHeaders: ['Cookie', 'X-Both', 'Host', 'Content-Type'],
        emulatedHeaders: ['X-Both', 'X-Emulated', 'Transfer-Encoding'],
        staticHeaders: { 'X-Both': 'static', 'X-Secret': 's' },
      },
    },
  },
});
const always = { 'x-secret': 's', 'content-type': 'application/json' };

it.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
  ['static ones always', {}, {}, { 'x-both': 'static' }],
  ['real ones that are listed', { cookie: 'a=b', 'x-other': 'o' }, {}, { 'x-both': 'static', cookie: 'a=b' }],
  ['emulated ones over static ones, in any case', {}, { 'X-BOTH': 'forged' }, { 'x-both': 'forged' }],
  ['real ones over emulated ones', { 'x-both': 'real' }, { 'X-Both': 'forged' }, { 'x-both': 'real' }],
  ['no emulated one that only a real one may be', {}, { Cookie: 'forged' }, { 'x-both': 'static' }],
  ['emulated ones as UTF-8', {}, { 'X-Emulated': 'ü' }, { 'x-both': 'static', 'x-emulated': '\xc3\xbc' }],
  [
    'none that belong to a connection, and one type of content',
    { host: 'a', 'content-type': 'text/plain' },
    { 'transfer-encoding': 'chunked' },
    { 'x-both': 'static' },
  ],
])('headers: %s', (_, transport, emulated, expected) => {
  const kept = emulatedHeaders(new Map(Object.entries(emulated)), proxies.emulatedHeaders);
  expect(proxyHeaders(proxies.connect!, new Map(Object.entries(transport)), kept)).toEqual({ ...always, ...expected });
});

it('keeps nothing of what a client sends where no proxy passes it on', () => {
  const headers = new Map([['x-a', 'a']]);
  expect(emulatedHeaders(headers, new Set())).toBeUndefined();
  expect(emulatedHeaders(headers, new Set(['x-b']))?.size).toBe(0);
});
