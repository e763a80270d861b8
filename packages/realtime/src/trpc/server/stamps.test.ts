import { initTRPC } from '@trpc/server';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../../../test/eventually.ts';
import { type ApiRequest, FakeApi } from '../../../test/fake-api.ts';
import { ManualClock } from '../../../test/manual-clock.ts';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { Channels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { callClock } from '../../server/deadline.ts';
import {
  fromCache,
  type InitRealtimeOptions,
  initRealtime,
  noStamp,
  type RealtimeFault,
  realtimeContext,
} from './index.ts';
import { StampReader } from './stamp-reader.ts';

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** The channels that each request asked the positions of. */
const questions = () =>
  api.requests.map(({ method, body }: ApiRequest) =>
    method === 'batch'
      ? body.commands.map((one: { history: { channel: string } }) => one.history.channel)
      : [body.channel],
  );

function start(options: InitRealtimeOptions = {}) {
  const faults: RealtimeFault[] = [];
  const log: string[] = [];
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', tokenSecret: 'secret' });
  const { base, watches } = initRealtime({
    realtime,
    stampTimeoutMs: 5000,
    lostHistorySpread: false, // it asks a question of its own
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const t = initTRPC.context<object>().create();
  const byId = t.procedure.use(base).input(z.object({ id: z.string() }));
  const watched = byId.use(watches(({ input }) => Channels.org(input.id)));
  const router = t.router({
    list: watched.query(({ input }) => {
      log.push(`list ${input.id} after ${api.requests.length} reads`);
      return { id: input.id };
    }),
    slowInput: t.procedure
      .use(base)
      .input(async (value: unknown) => {
        // Until another call's resolver has started.
        while (!log.length) await wait(1);
        return value as { id: string };
      })
      .use(watches(({ input }) => Channels.org(input.id)))
      .query(({ input }) => ({ id: input.id })),
    plain: byId.query(({ input }) => {
      log.push(`plain ${input.id} after ${api.requests.length} reads`);
      return { id: input.id };
    }),
    outer: watched.query(async ({ ctx, input }) => {
      await t
        .createCallerFactory(router)(ctx)
        .list({ id: `${input.id}-inner` });
      return { id: input.id };
    }),
    outerOfFailure: watched.query(async ({ ctx, input }) => {
      await t
        .createCallerFactory(router)(ctx)
        .failing({ id: 'inner' })
        .catch(() => null);
      return { id: input.id };
    }),
    failing: watched.query((): null => {
      throw new Error('no');
    }),
    older: watched.query(({ ctx, input }) => {
      noStamp(ctx);
      return { id: input.id };
    }),
    cached: watched.query(({ ctx, input }) => {
      fromCache(ctx);
      return { id: input.id };
    }),
    cachedWithStamp: watched.query(({ ctx, input }) => {
      fromCache(ctx, new Map([[Channels.org(input.id), { epoch: 'then', offset: 3 }]]));
      return { id: input.id };
    }),
  });
  const app = new TrpcApp(router, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
  return { app, faults, log };
}

const STAMP = { epoch: 'fake', offset: 0 };

it('an answer tells how refetches after lost history are spread, by the connections, and waits for no count', async () => {
  let tell: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    tell = resolve;
  });
  api.handler = async ({ method }) => {
    if (method !== 'info') return undefined;
    await held;
    return { body: { result: { nodes: [{ num_clients: 700 }, { num_clients: 500 }] } } };
  };
  const { app } = start({ lostHistorySpread: { perSubscriberMs: 2, maxMs: 60_000 } });
  const { client, metaOf } = await app.connect('httpLink');
  await client.list.query({ id: '1' });
  expect(metaOf('list')[0]).not.toHaveProperty('lostHistorySpreadMs');
  tell();
  await eventually(async () => {
    await client.list.query({ id: '1' });
    expect(metaOf('list').at(-1)?.lostHistorySpreadMs).toBe(2_400);
  });
});

describe('one HTTP request', () => {
  it('reads the stamps of all its calls at once, before any of their resolvers runs', async () => {
    const { app, log } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await Promise.all(['1', '2', '3', '1'].map((id) => client.list.query({ id })));
    expect(questions()).toEqual([['trpc:org:1', 'trpc:org:2', 'trpc:org:3']]);
    expect(log).toEqual(['1', '2', '3', '1'].map((id) => `list ${id} after 1 reads`));
    expect(metaOf('list').map((meta) => meta?.channels)).toEqual(
      ['1', '2', '3', '1'].map((id) => [{ channel: `trpc:org:${id}`, stamp: STAMP, grant: null }]),
    );
  });

  it('makes calls that watch nothing wait for the stamps of the others', async () => {
    const { app, log } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await Promise.all([client.plain.query({ id: '0' }), client.list.query({ id: '1' })]);
    expect(log.sort()).toEqual(['list 1 after 1 reads', 'plain 0 after 1 reads']);
    expect(metaOf('list')[0]?.channels[0]?.stamp).toEqual(STAMP);
  });

  it('asks nothing where nothing is watched', async () => {
    const { app, log } = start();
    const { client } = await app.connect('httpBatchLink');
    await Promise.all([client.plain.query({ id: '0' }), client.plain.query({ id: '1' })]);
    expect(api.requests).toEqual([]);
    expect(log).toHaveLength(2);
  });

  it('sends no stamp that was read after a resolver had started', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await Promise.all([client.list.query({ id: '1' }), client.slowInput.query({ id: '2' })]);
    expect(metaOf('list')[0]?.channels[0]?.stamp).toEqual(STAMP);
    expect(metaOf('slowInput')[0]?.channels).toEqual([{ channel: 'trpc:org:2', stamp: null, grant: null }]);
  });
});

it('each request of a connection reads its own', async () => {
  const { app } = start();
  const { client, metaOf } = await app.connect('wsLink');
  await client.list.query({ id: '1' });
  await Promise.all([client.list.query({ id: '2' }), client.list.query({ id: '3' })]);
  expect(metaOf('list').map((meta) => meta?.channels[0]?.stamp)).toEqual([STAMP, STAMP, STAMP]);
  expect(questions().flat()).toEqual(['trpc:org:1', 'trpc:org:2', 'trpc:org:3']);
  await app.close();
});

describe('calls that a resolver makes', () => {
  it('bind the outer answer, without a stamp, as the resolver had started', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    expect(await client.outer.query({ id: '1' })).toEqual({ id: '1' });
    expect(
      metaOf('outer')[0]
        ?.channels.map(({ channel, stamp }) => [channel, stamp])
        .sort(),
    ).toEqual([
      ['trpc:org:1', STAMP],
      ['trpc:org:1-inner', null],
    ]);
  });

  it('bind it to nothing where they failed', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.outerOfFailure.query({ id: '1' });
    expect(metaOf('outerOfFailure')[0]?.channels.map(({ channel }) => channel)).toEqual(['trpc:org:1']);
  });
});

describe('a broker that does not tell', () => {
  it.each([
    ['is down', { status: 500 }],
    ['refuses the key', { status: 401 }],
    ['hangs', 'hang'],
    ['keeps no history', { body: { error: { code: 108, message: 'not available' } } }],
  ] as const)('because it %s only costs the stamp', async (_, answer) => {
    api.handler = () => answer;
    const { app } = start({ stampTimeoutMs: 20 });
    const { client, metaOf } = await app.connect('httpBatchLink');
    expect(await client.list.query({ id: '1' })).toEqual({ id: '1' });
    expect(metaOf('list')[0]?.channels).toEqual([{ channel: 'trpc:org:1', stamp: null, grant: null }]);
  });

  it('is left alone for a second, and counted', async () => {
    let now = 0;
    const clock = { now: () => now, after: callClock.after };
    api.handler = () => ({ status: 401 });
    const { app, faults } = start({ clock });
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.list.query({ id: '1' });
    now = 999;
    await client.list.query({ id: '1' });
    expect(api.requests).toHaveLength(1);
    expect(faults).toMatchObject([{ kind: 'stamps', path: null, error: { code: 'api_unauthorized' } }]);
    now = 1000;
    api.handler = () => undefined;
    await client.list.query({ id: '1' });
    expect(api.requests).toHaveLength(2);
    expect(metaOf('list')[2]?.channels[0]?.stamp).toEqual(STAMP);
  });
});

describe('data that is older', () => {
  it('noStamp: no stamp, but still an answer to this request', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.older.query({ id: '1' });
    expect(metaOf('older')).toMatchObject([
      { requestId: expect.any(String), channels: [{ channel: 'trpc:org:1', stamp: null }] },
    ]);
  });

  it('fromCache: neither a stamp nor an answer to this request', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.cached.query({ id: '1' });
    expect(metaOf('cached')).toMatchObject([{ requestId: null, channels: [{ channel: 'trpc:org:1', stamp: null }] }]);
  });

  it('fromCache with the stamps of its reading: those', async () => {
    const { app } = start();
    const { client, metaOf } = await app.connect('httpBatchLink');
    await client.cachedWithStamp.query({ id: '1' });
    expect(metaOf('cachedWithStamp')).toMatchObject([
      { requestId: null, channels: [{ channel: 'trpc:org:1', stamp: { epoch: 'then', offset: 3 } }] },
    ]);
  });

  it('a request whose context loaded data of its own reads no stamps at all', async () => {
    const { app } = start();
    const withoutStamps = new TrpcApp(app.router, {
      createContext: ({ req, info }) => realtimeContext({ req, info, stamps: false }),
    });
    const { client, metaOf } = await withoutStamps.connect('httpBatchLink');
    await client.list.query({ id: '1' });
    expect(api.requests).toEqual([]);
    expect(metaOf('list')).toMatchObject([{ requestId: expect.any(String), channels: [{ stamp: null }] }]);
  });
});

describe('StampReader', () => {
  const channel = Channels.org('1');
  const stamps = new Map([[channel, { epoch: 'e', offset: 1 }]]);

  it('drops positions that arrive after a resolver started in the meantime', async () => {
    const clock = new ManualClock();
    let answer: (value: typeof stamps) => void = () => undefined;
    const reader = new StampReader(() => new Promise((resolve) => (answer = resolve)), clock, true);
    const waiting = reader.stamps({}, [channel]);
    clock.advance(0);
    await Promise.resolve();
    reader.starts({});
    answer(stamps);
    expect(await waiting).toEqual(new Map());
  });

  it('lets a call wait twice: with two middlewares that watch', async () => {
    const clock = new ManualClock();
    const reader = new StampReader(async () => stamps, clock, true);
    const call = {};
    for (let round = 0; round < 2; round++) {
      const waiting = reader.stamps(call, [channel]);
      clock.advance(0);
      expect(await waiting).toEqual(stamps);
      reader.starts(call);
    }
    expect(await reader.stamps({}, [channel])).toEqual(new Map());
  });

  it('asks for each channel once', async () => {
    const clock = new ManualClock();
    const asked: (readonly string[])[] = [];
    const reader = new StampReader(
      async (channels) => {
        asked.push(channels);
        return stamps;
      },
      clock,
      true,
    );
    const waiting = [reader.stamps({}, [channel]), reader.stamps({}, [channel, Channels.global()])];
    clock.advance(0);
    await Promise.all(waiting);
    expect(asked).toEqual([['trpc:org:1', 'trpc:global']]);
  });

  it('never gives a stamp that was read after any resolver of the request had started, whatever comes when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
        async (scheduler, calls) => {
          let moment = 0;
          const soon = () => scheduler.schedule(Promise.resolve());
          const clock = {
            now: () => 0,
            after: (_delayMs: number, run: () => void) => {
              void soon().then(run);
              return () => undefined;
            },
          };
          const read = async () => {
            await soon();
            moment += 1;
            return new Map([[channel, { epoch: 'e', offset: moment }]]);
          };
          const reader = new StampReader(read, clock, true);
          const readAt: number[] = [];
          const startedAt: number[] = [];
          const running = calls.map(async (isWatching) => {
            const call = {};
            await soon();
            if (isWatching) {
              const known = await reader.stamps(call, [channel]);
              const stamp = known.get(channel);
              if (stamp) readAt.push(stamp.offset);
            } else await reader.barrier();
            reader.starts(call);
            moment += 1;
            startedAt.push(moment);
          });
          await scheduler.waitFor(Promise.all(running));
          expect(Math.max(...readAt)).toBeLessThan(Math.min(...startedAt));
        },
      ),
      { numRuns: 500 },
    );
  });
});
