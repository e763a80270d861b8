import { initTRPC, tracked } from '@trpc/server';
import superjson from 'superjson';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FakeApi } from '../../../test/fake-api.ts';
import { LINKS, TrpcApp } from '../../../test/trpc-app.ts';
import { Channels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { initRealtime, realtimeContext } from './index.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(usesSuperjson: boolean) {
  const api = await FakeApi.start();
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', tokenSecret: 'secret' });
  const { base, watches, touches } = initRealtime({ realtime, stampTimeoutMs: 5000, positionWaitMs: 5000 });
  const t = initTRPC.context<object>().create({ ...(usesSuperjson && { transformer: superjson }) });
  const query = t.procedure.use(base).use(watches(() => [Channels.global(), Channels.org('1')]));
  const router = t.router({
    object: query.query(() => ({ a: 1, nested: { b: [2] } })),
    array: query.query(() => [1, { a: 2 }]),
    number: query.query(() => 7),
    text: query.query(() => 'x'),
    empty: query.query(() => ({})),
    nothing: query.query(() => null),
    undefined: query.query(() => undefined),
    date: query.query(() => new Date(0)),
    map: query.query(() => new Map([['a', 1]])),
    deferred: query.query(() => ({ now: 1, later: Promise.resolve('soon') })),
    stream: query.query(async function* () {
      yield 1;
      yield 2;
    }),
    withOutput: query.output(z.object({ a: z.number() })).query(() => ({ a: 1 })),
    outputFirst: t.procedure
      .use(base)
      .output(z.object({ a: z.number().optional() }))
      .use(watches(() => Channels.global()))
      .query(() => ({ a: 1 })),
    twice: query.use(watches(() => [Channels.org('1'), Channels.org('2')])).query(() => ({ a: 1 })),
    fails: query.query((): number => {
      throw new Error('no');
    }),
    unwatched: t.procedure.use(base).query(() => ({ a: 1 })),
    ticks: query.subscription(async function* () {
      yield tracked('1', { a: 1 });
    }),
    save: t.procedure
      .use(base)
      .use(touches(() => Channels.org('1')))
      .mutation(() => ({ saved: true })),
  });
  const app = new TrpcApp(router, {
    usesSuperjson,
    createContext: ({ req, info, isLocal }) => realtimeContext({ req, info, announced: isLocal === true, userId: '7' }),
  });
  closing.push(
    () => api.close(),
    () => app.close(),
  );
  return { api, app };
}

const ANSWERS = [
  'object',
  'array',
  'number',
  'text',
  'empty',
  'nothing',
  'undefined',
  'date',
  'map',
  'withOutput',
  'outputFirst',
  'twice',
  'unwatched',
] as const;
const STAMP = { epoch: 'fake', offset: 0 };

describe.each(LINKS)('over %s', (kind) => {
  describe.each([
    ['JSON', false],
    ['superjson', true],
  ])('with %s', (_, usesSuperjson) => {
    it('every answer is what it is without the link', async () => {
      const { app } = await start(usesSuperjson);
      const { client } = await app.connect(kind);
      const bare = await app.connectBare(kind);
      for (const path of ANSWERS) expect([path, await client[path].query()]).toEqual([path, await bare[path].query()]);
    });

    it('an answer brings its channels, stamps and grants', async () => {
      const { app } = await start(usesSuperjson);
      const { client, metaOf } = await app.connect(kind);
      for (const path of ANSWERS) await client[path].query();
      for (const path of ANSWERS.filter((one) => one !== 'unwatched' && one !== 'twice' && one !== 'outputFirst'))
        expect([path, metaOf(path)]).toEqual([
          path,
          [
            {
              requestId: kind === 'wsLink' || kind === 'localLink' ? true : expect.stringMatching(/^tab-/),
              channels: [
                { channel: 'trpc:global', stamp: STAMP, grant: null },
                { channel: 'trpc:org:1', stamp: STAMP, grant: expect.stringMatching(/^ey/) },
              ],
              touched: [],
            },
          ],
        ]);
      expect(metaOf('outputFirst')[0]?.channels).toHaveLength(1);
      expect(
        metaOf('twice')[0]
          ?.channels.map(({ channel, stamp }) => [channel, stamp])
          .sort(),
      ).toEqual([
        ['trpc:global', STAMP],
        ['trpc:org:1', STAMP],
        ['trpc:org:2', STAMP],
      ]);
      expect(metaOf('unwatched')).toEqual([null]);
    });

    it('promises and generators come as without the link', async () => {
      const { app } = await start(usesSuperjson);
      const { client, metaOf } = await app.connect(kind);
      const bare = await app.connectBare(kind);
      const read = async (from: typeof bare) => {
        const results: unknown[] = [];
        try {
          const { now, later } = await from.deferred.query();
          results.push(now, await later);
          for await (const value of await from.stream.query()) results.push(value);
        } catch (error) {
          results.push(String(error));
        }
        return results;
      };
      expect(await read(client)).toEqual(await read(bare));
      if (kind === 'httpBatchStreamLink') {
        expect(await read(client)).toEqual([1, 'soon', 1, 2]);
        expect(metaOf('deferred')[0]?.channels).toHaveLength(2);
        expect(metaOf('stream')[0]?.channels).toHaveLength(2);
      }
    });

    it('a failure is a failure, without metadata', async () => {
      const { app } = await start(usesSuperjson);
      const { client, metaOf } = await app.connect(kind);
      await expect(client.fails.query()).rejects.toThrow('no');
      expect(metaOf('fails')).toEqual([null]);
    });

    it('a mutation brings the positions that it created', async () => {
      const { app, api } = await start(usesSuperjson);
      const { client, mutated } = await app.connect(kind);
      expect(await client.save.mutate()).toEqual({ saved: true });
      expect(mutated).toMatchObject([
        {
          channels: [],
          touched: [
            {
              channel: 'trpc:org:1',
              position: { epoch: 'fake', offset: 1 },
              message: { type: 'channel-invalidation' },
            },
          ],
        },
      ]);
      expect(api.published.get('trpc:org:1')).toEqual([{ type: 'channel-invalidation' }]);
    });
  });
});

it('a subscription passes untouched', async () => {
  const { app } = await start(false);
  const { client } = await app.connect('wsLink');
  const values: unknown[] = [];
  await new Promise<void>((resolve, reject) =>
    client.ticks.subscribe(undefined, { onData: (value) => values.push(value), onComplete: resolve, onError: reject }),
  );
  expect(values).toEqual([{ id: '1', data: { a: 1 } }]);
});
