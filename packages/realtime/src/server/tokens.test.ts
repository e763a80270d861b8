import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { Channels } from '../core/channel.ts';
import type { RealtimeOptions } from './config.ts';
import { createRealtime } from './create-realtime.ts';

const NOW_MS = 1_800_000_000_900;
const NOW_SECONDS = 1_800_000_000;
const clock = { now: () => NOW_MS, after: () => () => undefined };
const connect = (options: RealtimeOptions = {}) => createRealtime({ tokenSecret: 'secret', clock, ...options });

async function claimsOf(token: string, secret = 'secret') {
  const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { currentDate: new Date(NOW_MS) });
  return payload;
}

describe('createConnectionToken', () => {
  it('carries global and the own channel for 24 hours', async () => {
    const token = await connect().createConnectionToken({ userId: '7' });
    expect(await claimsOf(token)).toEqual({
      sub: '7',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 86_400,
      subs: { 'trpc:global': {}, 'trpc:user:7': {} },
    });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' });
  });

  it('carries exactly the channels that are given, each once', async () => {
    const token = await connect().createConnectionToken({
      userId: '7',
      channels: [Channels.org('1'), Channels.org('1')],
      ttlSeconds: 60,
    });
    expect(await claimsOf(token)).toMatchObject({ exp: NOW_SECONDS + 60, subs: { 'trpc:org:1': {} } });
    const none = await connect().createConnectionToken({ userId: '7', channels: [] });
    expect(await claimsOf(none)).toMatchObject({ subs: {} });
  });

  it('carries info and meta', async () => {
    const token = await connect().createConnectionToken({ userId: '7', info: { name: 'Ada' }, meta: { plan: 'free' } });
    expect(await claimsOf(token)).toMatchObject({ info: { name: 'Ada' }, meta: { plan: 'free' } });
  });

  it('carries aud and iss where they are configured', async () => {
    const realtime = connect({ tokenAudience: 'centrifugo', tokenIssuer: 'app' });
    expect(await claimsOf(await realtime.createConnectionToken({ userId: '7' }))).toMatchObject({
      aud: 'centrifugo',
      iss: 'app',
    });
    const forChannel = await realtime.createChannelToken({ userId: '7', channel: Channels.org('1') });
    expect(await claimsOf(forChannel)).toMatchObject({ aud: 'centrifugo', iss: 'app' });
  });

  it('takes 128 channels and refuses 129, which the broker would end the connection for', async () => {
    const channels = Array.from({ length: 129 }, (_, at) => Channels.org(at));
    await expect(connect().createConnectionToken({ userId: '7', channels: channels.slice(1) })).resolves.toBeTypeOf(
      'string',
    );
    await expect(connect().createConnectionToken({ userId: '7', channels })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('createChannelTokens()'),
    });
  });
});

describe('createChannelToken', () => {
  it('carries one channel for ten minutes', async () => {
    const token = await connect().createChannelToken({ userId: '7', channel: Channels.org('1') });
    expect(await claimsOf(token)).toEqual({
      sub: '7',
      channel: 'trpc:org:1',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
    });
  });

  it('of several channels come in their order, each once', async () => {
    const grants = await connect().createChannelTokens({
      userId: '7',
      channels: [Channels.org('2'), Channels.org('1'), Channels.org('2')],
      ttlSeconds: 30,
    });
    expect(grants.map(({ channel }) => channel)).toEqual(['trpc:org:2', 'trpc:org:1']);
    for (const { channel, token } of grants)
      expect(await claimsOf(token)).toMatchObject({ channel, exp: NOW_SECONDS + 30 });
  });
});

describe('bad requests', () => {
  it.each(['', undefined, null, 7])('the user %j is refused: an empty one would connect as anonymous', async (id) => {
    const userId = id as string;
    for (const request of [
      connect().createConnectionToken({ userId, channels: [] }),
      connect().createChannelToken({ userId, channel: Channels.global() }),
      connect().createChannelTokens({ userId, channels: [Channels.global()] }),
    ])
      await expect(request).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '60'])(
    'the life of %j seconds is refused',
    async (ttl) => {
      const request = connect().createConnectionToken({ userId: '7', ttlSeconds: ttl as number });
      await expect(request).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('a user id that cannot be part of a channel needs encodeChannelId, and the error says so', async () => {
    await expect(connect().createConnectionToken({ userId: 'auth0|7' })).rejects.toMatchObject({
      code: 'invalid_channel',
      message: expect.stringContaining('encodeChannelId()'),
    });
  });

  it('a foreign channel is refused', async () => {
    const request = connect().createChannelToken({ userId: '7', channel: 'chat:7' as 'trpc:x' });
    await expect(request).rejects.toMatchObject({ code: 'invalid_channel' });
  });
});
