import { describe, expect, it } from 'vitest';
import { BrokerConfigError } from './errors.ts';
import { Namespaces } from './namespaces.ts';
import type { BrokerOptions } from './options.ts';
import { resolveOptions } from './settings.ts';

describe('options', () => {
  it('have the defaults of Centrifugo', () => {
    expect(resolveOptions()).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      client: {
        pingIntervalMs: 25_000,
        pongTimeoutMs: 8_000,
        staleCloseDelayMs: 10_000,
        expiredCloseDelayMs: 25_000,
        channelLimit: 128,
        queueMaxSize: 1_048_576,
        historyMaxPublicationLimit: 300,
        recoveryMaxPublicationLimit: 300,
      },
      channel: { maxLength: 255, historyMetaTtlMs: 2_592_000_000, namespaceBoundary: ':', privatePrefix: '$' },
      websocket: { messageSizeLimit: 65_536 },
    });
  });

  it.each<[string, BrokerOptions]>([
    ['a pong timeout over the ping interval', { client: { pingIntervalMs: 1000 } }],
    ['a namespace of one letter', { channel: { namespaces: { a: {} } } }],
    ['a negative history', { channel: { namespaces: { trpc: { historySize: -1, historyTtlMs: 1000 } } } }],
    [
      'a time to live in fractions of seconds',
      { channel: { namespaces: { trpc: { historySize: 1, historyTtlMs: 1500 } } } },
    ],
    [
      'publications that outlive their stream',
      { channel: { historyMetaTtlMs: 1000, namespaces: { trpc: { historySize: 1, historyTtlMs: 2000 } } } },
    ],
    ['cache recovery of nothing', { channel: { namespaces: { trpc: { autoCacheRecover: true } } } }],
    [
      'personal channels in a namespace that is not there',
      { client: { subscribeToUserPersonalChannel: { enabled: true, personalChannelNamespace: 'no' } } },
    ],
    [
      'one connection per user without presence',
      { client: { subscribeToUserPersonalChannel: { enabled: true, singleConnection: true } } },
    ],
    ['a path that is none', { httpApi: { handlerPrefix: 'api' } }],
  ])('refuse %s', (_name, options) => expect(() => resolveOptions(options)).toThrow(BrokerConfigError));
});

describe('a channel name', () => {
  const namespaces = new Namespaces(
    resolveOptions({ channel: { namespaces: { trpc: { allowUserLimitedChannels: true } } } }).channel,
  );

  it.each([
    ['trpc:org:1', 'org:1'],
    ['$trpc:x', 'x'],
    ['plain', 'plain'],
    [':x', 'x'],
    ['', ''],
  ])('"%s" has the rest "%s"', (channel, rest) => expect(namespaces.find(channel)?.rest).toBe(rest));

  it.each(['no:x', '__proto__:x', 'constructor:x', 'TRPC:x', 'trpc :x'])('"%s" is of no namespace', (channel) =>
    expect(namespaces.find(channel)).toBeUndefined(),
  );

  it('may list users', () => {
    expect(namespaces.listsUser('trpc:a#b#17,42', '42')).toBe(true);
    expect(namespaces.listsUser('trpc:a#b#17,42', 'b')).toBe(false);
    expect(namespaces.personalChannel('trpc', '7')).toBe('trpc:#7');
    expect(namespaces.personalChannel('', '7')).toBe('#7');
  });
});
