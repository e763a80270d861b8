import { initTRPC } from '@trpc/server';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi } from '../../../test/fake-api.ts';
import { type LinkKind, TrpcApp } from '../../../test/trpc-app.ts';
import { Channels, defineChannels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { ANNOUNCE_HEADER } from '../metadata.ts';
import {
  type InitRealtimeOptions,
  initRealtime,
  type RealtimeFault,
  realtimeContext,
  realtimeResponseMeta,
} from './index.ts';

const App = defineChannels({
  lobby: {},
  profile: { ids: ['userId'], delivery: 'connection' },
  /** A key that `Channels` has too. */
  user: { ids: ['userId'], scope: 'user-feed' },
});

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

function start(options: InitRealtimeOptions & { tokenSecret?: string; userId?: () => string | null | undefined } = {}) {
  const faults: RealtimeFault[] = [];
  const { tokenSecret = 'secret', ...rest } = options;
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', tokenSecret });
  const { base, watches, watching } = initRealtime({
    realtime,
    stampTimeoutMs: 5000,
    channels: App,
    userId: () => '7',
    onFault: (fault) => faults.push(fault),
    ...rest,
  });
  const t = initTRPC.context<object>().create();
  const procedure = t.procedure.use(base);
  const router = t.router({
    all: procedure
      .use(watches(() => [Channels.global(), Channels.user('7'), Channels.org('1'), App.lobby(), App.profile('7')]))
      .query(() => ({ a: 1 })),
    org: procedure.use(watches(() => Channels.org('1'))).query(() => ({ a: 1 })),
    global: procedure.use(watches(() => Channels.global())).query(() => ({ a: 1 })),
    result: procedure.query(
      watching(
        () => ({ orgId: '2' }),
        ({ data }) => Channels.org(data.orgId),
      ),
    ),
    failing: procedure.use(watches(() => Channels.org('1'))).query((): null => {
      throw new Error('no');
    }),
    failingLater: procedure
      .use(({ next }) => next().then(() => Promise.reject(new Error('after the resolver'))))
      .use(watches(() => Channels.org('1')))
      .query(() => null),
    badChannel: procedure.use(watches(() => 'trpc:org:a b' as 'trpc:x')).query(() => ({ a: 1 })),
    throwing: procedure
      .use(
        watches(() => {
          throw new Error('of the app');
        }),
      )
      .query(() => ({ a: 1 })),
    many: procedure
      .use(watches(() => Array.from({ length: 1001 }, (_, at) => Channels.org(at))))
      .query(() => ({ a: 1 })),
  });
  const app = new TrpcApp(router, {
    createContext: ({ req, info }) => realtimeContext({ req, info }),
    responseMeta: realtimeResponseMeta(),
  });
  return { app, faults };
}

describe('a grant', () => {
  it('comes for the channels that the connection token does not carry, for this user, for ten minutes', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.all.query();
    const channels = metaOf('all')[0]?.channels ?? [];
    expect(channels.map(({ channel, grant }) => [channel, grant !== null])).toEqual([
      ['trpc:global', false],
      ['trpc:user:7', false],
      ['trpc:org:1', true],
      ['trpc:lobby', true],
      ['trpc:profile:7', false],
    ]);
    const claims = decodeJwt(channels[2]?.grant ?? '');
    expect(claims).toMatchObject({ sub: '7', channel: 'trpc:org:1' });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
  });

  it('comes for channels that are known only from the result', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.result.query();
    expect(metaOf('result')[0]?.channels).toEqual([
      { channel: 'trpc:org:2', stamp: null, grant: expect.stringMatching(/^ey/) },
    ]);
  });

  it.each(['failing', 'failingLater'] as const)('never comes where the query fails: %s', async (path) => {
    const { app } = start();
    const { client } = await app.connect('httpBatchLink');
    await expect(client[path].query()).rejects.toThrow();
    const [response] = app.responses;
    expect(await response?.text).not.toMatch(/op\/rt|"ey/);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
  ])('never comes for nobody (%s)', async (_, userId) => {
    const { app } = start({ userId: () => userId });
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.org.query();
    expect(metaOf('org')[0]?.channels).toEqual([
      { channel: 'trpc:org:1', stamp: { epoch: 'fake', offset: 0 }, grant: null },
    ]);
  });

  it('that cannot be signed costs only itself', async () => {
    const { app, faults } = start({ tokenSecret: '' });
    const { client, metaOf } = await app.connect('httpBatchLink');
    expect(await client.org.query()).toEqual({ a: 1 });
    expect(metaOf('org')[0]?.channels).toMatchObject([{ channel: 'trpc:org:1', grant: null }]);
    expect(faults).toMatchObject([{ kind: 'grants', path: 'org', error: { code: 'invalid_config' } }]);
  });

  it('is not asked for where userId throws', async () => {
    const { app, faults } = start({
      userId: () => {
        throw new Error('of the app');
      },
    });
    const { client } = await app.connect('httpBatchLink');
    expect(await client.org.query()).toEqual({ a: 1 });
    expect(faults).toMatchObject([{ kind: 'grants', path: 'org' }]);
  });
});

describe('a function that names channels wrongly', () => {
  it.each(['badChannel', 'throwing', 'many'] as const)(
    '%s: the query answers, bound to nothing, and it is reported',
    async (path) => {
      const { app, faults } = start();
      const { client, metaOf } = await app.connect('httpBatchLink');
      expect(await client[path].query()).toEqual({ a: 1 });
      expect(metaOf(path)).toEqual([null]);
      expect(faults).toMatchObject([{ kind: 'watches', path }]);
    },
  );
});

describe('caches', () => {
  const headersOf = async (kind: LinkKind, path: 'org' | 'global') => {
    const { app } = start();
    const { client } = await app.connect(kind);
    await client[path].query();
    return app.responses[0]?.headers;
  };

  it('keep both forms of an answer apart', async () => {
    const { app } = start();
    await app.get('global');
    expect(app.responses[0]?.headers.get('vary')).toContain(ANNOUNCE_HEADER);
    expect(app.responses[0]?.headers.get('cache-control')).toBeNull();
    expect((await headersOf('httpLink', 'global'))?.get('vary')).toContain(ANNOUNCE_HEADER);
  });

  it('never keep an answer with a grant', async () => {
    for (const kind of ['httpLink', 'httpBatchLink', 'httpBatchStreamLink'] as const)
      expect([kind, (await headersOf(kind, 'org'))?.get('cache-control')]).toEqual([kind, 'private, no-store']);
  });

  it('may keep one without, unless it streams: then the headers leave before it is known', async () => {
    expect((await headersOf('httpBatchLink', 'global'))?.get('cache-control')).toBeNull();
    expect((await headersOf('httpBatchStreamLink', 'global'))?.get('cache-control')).toBe('private, no-store');
  });

  it('keep what the app itself says, but for grants', async () => {
    const own = realtimeResponseMeta(() => ({
      status: 203,
      headers: { 'cache-control': 'public, s-maxage=60', vary: 'cookie', 'set-cookie': ['a=1', 'b=2'] },
    }));
    const plain = own({ ctx: {} });
    const headers = new Headers(plain.headers as Headers);
    expect(plain.status).toBe(203);
    expect(headers.get('cache-control')).toBe('public, s-maxage=60');
    expect(headers.get('vary')).toBe(`cookie, ${ANNOUNCE_HEADER}`);
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const { app } = start();
    const mixed = new TrpcApp(app.router, {
      createContext: ({ req, info }) => realtimeContext({ req, info }),
      responseMeta: own,
    });
    const { client } = await mixed.connect('httpBatchLink');
    await Promise.all([client.org.query(), client.global.query()]);
    expect(mixed.responses[0]?.headers.get('cache-control')).toBe('private, no-store');
  });
});
