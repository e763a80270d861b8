import { initTRPC, TRPCError } from '@trpc/server';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { type ChannelName, Channels, defineChannels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { type ChannelDefinitions, realtimeContext, realtimeResponseMeta, realtimeRouter } from './index.ts';

function start(
  userId: string | null = '7',
  options: {
    connectionChannels?: () => ChannelName[];
    channels?: ChannelDefinitions;
    canSubscribe?: () => boolean;
  } = {},
) {
  const asked: string[] = [];
  const t = initTRPC.context<object>().create();
  const router = t.router({
    realtime: realtimeRouter({
      procedure: t.procedure,
      realtime: createRealtime({ tokenSecret: 'secret' }),
      userId: () => userId,
      canSubscribe: async ({ channel, userId: user }) => {
        asked.push(`${user} ${channel}`);
        if (channel === Channels.org('unknown'))
          throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'db down' });
        return channel === Channels.org('1') || channel === Channels.org('2');
      },
      ...options,
    }),
  });
  const app = new TrpcApp(router, {
    createContext: ({ req, info }) => realtimeContext({ req, info }),
    responseMeta: realtimeResponseMeta(),
  });
  return { app, asked };
}

const orgs = (...ids: string[]) => ids.map((id) => Channels.org(id));

describe('getToken', () => {
  it('gives the user a connection token, which no cache may keep', async () => {
    const { app } = start();
    const { client } = await app.connect('httpBatchLink');
    const { token } = await client.realtime.getToken.query();
    expect(decodeJwt(token)).toMatchObject({ sub: '7', subs: { 'trpc:global': {}, 'trpc:user:7': {} } });
    expect(app.responses[0]?.headers.get('cache-control')).toBe('private, no-store');
  });

  it('can carry other channels', async () => {
    const { app } = start('7', { connectionChannels: () => [Channels.global()] });
    const { client } = await app.connect('httpBatchLink');
    expect(decodeJwt((await client.realtime.getToken.query()).token)).toMatchObject({ subs: { 'trpc:global': {} } });
  });

  it.each([null, ''])('is UNAUTHORIZED for the user %j', async (userId) => {
    const { app } = start(userId);
    const { client } = await app.connect('httpBatchLink');
    await expect(client.realtime.getToken.query()).rejects.toMatchObject({ data: { code: 'UNAUTHORIZED' } });
    await expect(client.realtime.getChannelTokens.query({ channels: orgs('1') })).rejects.toMatchObject({
      data: { code: 'UNAUTHORIZED' },
    });
  });
});

describe('getChannelTokens', () => {
  it('grants what the user may read, and leaves out the rest', async () => {
    const { app, asked } = start();
    const { client } = await app.connect('httpBatchLink');
    const channels = [...orgs('1', '3', '2', '1'), 'chat:1', 'trpc:org:a b', ''];
    const grants = await client.realtime.getChannelTokens.query({ channels });
    expect(grants.map(({ channel }) => channel)).toEqual(['trpc:org:1', 'trpc:org:2']);
    expect(grants.map(({ token }) => decodeJwt(token))).toMatchObject([
      { sub: '7', channel: 'trpc:org:1' },
      { sub: '7', channel: 'trpc:org:2' },
    ]);
    expect(asked).toEqual(['7 trpc:org:1', '7 trpc:org:3', '7 trpc:org:2']);
    expect(app.responses[0]?.headers.get('cache-control')).toBe('private, no-store');
  });

  it('never grants what the connection token carries, whatever canSubscribe says', async () => {
    const Own = defineChannels({ profile: { ids: ['userId'], delivery: 'connection' } });
    const { app, asked } = start('7', { channels: Own, canSubscribe: () => true });
    const { client } = await app.connect('httpBatchLink');
    const channels = [Channels.global(), Channels.user('8'), Own.profile('8'), Channels.org('3')];
    const grants = await client.realtime.getChannelTokens.query({ channels });
    expect(grants.map(({ channel }) => channel)).toEqual(['trpc:org:3']);
    expect(asked).toEqual([]);
  });

  it('fails as a whole where a permission cannot be known: a refusal would be final', async () => {
    const { app } = start();
    const { client } = await app.connect('httpBatchLink');
    const asking = client.realtime.getChannelTokens.query({ channels: orgs('1', 'unknown') });
    await expect(asking).rejects.toMatchObject({ data: { code: 'INTERNAL_SERVER_ERROR' } });
  });

  it.each([
    [undefined],
    [null],
    [[]],
    [{}],
    [{ channels: 'trpc:org:1' }],
    [{ channels: [1] }],
    [{ channels: Array.from({ length: 1001 }, () => 'trpc:org:1') }],
  ])('refuses the input %j', async (input) => {
    const { app, asked } = start();
    const response = await app.get('realtime.getChannelTokens', input);
    expect(response.status).toBe(400);
    expect(asked).toEqual([]);
  });
});
