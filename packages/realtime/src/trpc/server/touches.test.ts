import { initTRPC } from '@trpc/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { FakeApi } from '../../../test/fake-api.ts';
import { ManualClock } from '../../../test/manual-clock.ts';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { Channels } from '../../core/channel.ts';
import type { Message } from '../../core/message.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { FaultReporter } from './faults.ts';
import {
  type InitRealtimeOptions,
  initRealtime,
  type RealtimeContextOptions,
  type RealtimeFault,
  realtimeContext,
  type Touches,
} from './index.ts';

const ORG = Channels.org('1');
const KEYED: Message = { type: 'query-invalidation', queryKey: ['post', 'list'] };
const ALL: Message = { type: 'channel-invalidation' };

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => {
  vi.restoreAllMocks();
  return api.close();
});

function start(options: InitRealtimeOptions = {}, context: RealtimeContextOptions = {}) {
  const faults: RealtimeFault[] = [];
  const log: string[] = [];
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key' });
  const rt = initRealtime({
    realtime,
    positionWaitMs: 5000,
    spread: () => 0,
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const { base, touches, touching, watches } = rt;
  const t = initTRPC.context<object>().create();
  const procedure = t.procedure.use(base);
  const mutation = procedure.use(touches(() => ORG));
  const publishedSoFar = () => api.published.get(ORG)?.length ?? 0;
  const router = t.router({
    save: mutation.mutation(() => {
      log.push(`resolver, ${publishedSoFar()} published`);
      return { saved: true };
    }),
    fails: mutation.mutation((): null => {
      throw new Error('no');
    }),
    inTransaction: procedure
      .use(async ({ next }) => {
        const result = await next();
        log.push(`commit, ${publishedSoFar()} published`);
        return result;
      })
      .use(touches(() => ORG))
      .mutation(() => null),
    commitFails: procedure
      .use(({ next }) => next().then(() => Promise.reject(new Error('serialization failure'))))
      .use(touches(() => ORG))
      .mutation(() => null),
    any: procedure
      .input(z.custom<Touches>())
      .use(touches(({ input }) => input))
      .mutation(() => ({ saved: true })),
    throwing: procedure
      .use(
        touches(() => {
          throw new Error('of the app');
        }),
      )
      .mutation(() => ({ saved: true })),
    fromResult: procedure.mutation(
      touching(
        () => ({ orgId: '9' }),
        ({ data }) => [Channels.org(data.orgId), { channel: ORG, message: KEYED }],
      ),
    ),
    fromResultWithoutBase: t.procedure.mutation(
      touching(
        () => ({ orgId: '9' }),
        ({ data }) => Channels.org(data.orgId),
      ),
    ),
    byHand: procedure.use(touches()).mutation(({ ctx }) => {
      ctx.touch(ORG);
      ctx.touch([{ channel: ORG, message: KEYED }, null, false]);
      return null;
    }),
    late: procedure.use(touches()).mutation(({ ctx }) => {
      void released.then(() => ctx.touch(ORG));
      return null;
    }),
    ticks: procedure.use(touches()).subscription(async function* ({ ctx }) {
      ctx.touch(ORG);
      yield 1;
    }),
    both: procedure
      .use(touches(() => ORG))
      .use(touches(() => [ORG, Channels.global()]))
      .mutation(() => null),
    outer: procedure.mutation(async ({ ctx }) => {
      const caller = t.createCallerFactory(router)(ctx);
      await caller.save();
      await caller.fails().catch(() => null);
      log.push(`outer, ${publishedSoFar()} published`);
      return { outer: true };
    }),
    watchesToo: procedure
      .use(watches(() => Channels.global()))
      .use(touches(() => ORG))
      .mutation(() => null),
  });
  const app = new TrpcApp(router, {
    createContext: ({ req, info }) => realtimeContext({ req, info, ...context }),
  });
  return { app, faults, log, release: () => release(), counts: rt.faultCounts };
}

describe('an announcement', () => {
  it('is made after the resolver has succeeded, and its position is in the answer', async () => {
    const { app, log } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.save.mutate()).toEqual({ saved: true });
    expect(log).toEqual(['resolver, 0 published']);
    expect(api.published.get(ORG)).toEqual([ALL]);
    expect(mutated).toMatchObject([
      { channels: [], touched: [{ channel: ORG, position: { epoch: 'fake', offset: 1 }, message: ALL }] },
    ]);
  });

  it('is made for callers that did not announce themselves as well', async () => {
    const { app } = start();
    const client = await app.connectBare('httpLink');
    expect(await client.save.mutate()).toEqual({ saved: true });
    expect(api.published.get(ORG)).toEqual([ALL]);
  });

  it.each(['fails', 'commitFails'] as const)('is not made where the mutation fails: %s', async (path) => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await expect(client[path].mutate()).rejects.toThrow();
    expect(api.requests).toEqual([]);
    expect(mutated).toEqual([]);
  });

  it('is made after the commit of a transaction that a middleware behind base holds open', async () => {
    const { app, log } = start();
    const { client } = await app.connect('httpBatchLink');
    await client.inTransaction.mutate();
    expect(log).toEqual(['commit, 0 published']);
    expect(api.published.get(ORG)).toEqual([ALL]);
  });

  it('can be a message, several, or none', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    const message = { channel: ORG, message: KEYED };
    for (const touches of [[ORG, message, Channels.global()], [], [null, false, undefined], undefined] as Touches[])
      await client.any.mutate(touches);
    expect(api.published.get(ORG)).toEqual([ALL, KEYED]);
    expect(api.published.get('trpc:global')).toEqual([ALL]);
    expect(mutated.map((meta) => meta?.touched.length)).toEqual([3]);
    expect(api.methods).toEqual(['batch']);
  });

  it('is made once, whoever declares it', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.both.mutate();
    expect(api.published.get(ORG)).toEqual([ALL]);
    expect(mutated[0]?.touched.map(({ channel }) => channel).sort()).toEqual(['trpc:global', 'trpc:org:1']);
  });

  it('can come from the result', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.fromResult.mutate()).toEqual({ orgId: '9' });
    expect(api.published.get('trpc:org:9')).toEqual([ALL]);
    expect(mutated[0]?.touched).toMatchObject([
      { channel: 'trpc:org:9', position: { offset: 1 } },
      { channel: ORG, message: KEYED },
    ]);
  });

  it('from the result is made without base too, only without a position', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.fromResultWithoutBase.mutate()).toEqual({ orgId: '9' });
    await expect.poll(() => api.published.get('trpc:org:9')).toEqual([ALL]);
    expect(mutated).toEqual([]);
  });

  it('can be made by hand in the resolver', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.byHand.mutate();
    expect(api.published.get(ORG)).toEqual([ALL, KEYED]);
    expect(mutated[0]?.touched).toHaveLength(2);
  });

  it('by hand after the answer is made at once', async () => {
    const { app, release } = start();
    const { client } = await app.connect('httpBatchLink');
    await client.late.mutate();
    expect(api.requests).toEqual([]);
    release();
    await expect.poll(() => api.published.get(ORG)).toEqual([ALL]);
  });

  it('by hand in a subscription is made at once', async () => {
    const { app } = start();
    const { client } = await app.connect('wsLink');
    await new Promise<void>((resolve, reject) =>
      client.ticks.subscribe(undefined, { onComplete: resolve, onError: reject }),
    );
    await expect.poll(() => api.published.get(ORG)).toEqual([ALL]);
    await app.close();
  });

  it('of calls that a resolver makes waits for the outer mutation, and leaves out those that failed', async () => {
    const { app, log } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.outer.mutate()).toEqual({ outer: true });
    expect(log).toEqual(['resolver, 0 published', 'outer, 0 published']);
    expect(api.published.get(ORG)).toEqual([ALL]);
    expect(mutated[0]?.touched).toHaveLength(1);
  });

  it('of each mutation of a batch is in its own answer', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await Promise.all([client.any.mutate(Channels.org('a')), client.any.mutate(Channels.org('b'))]);
    expect(mutated.map((meta) => meta?.touched.map(({ channel }) => channel))).toEqual([
      ['trpc:org:a'],
      ['trpc:org:b'],
    ]);
  });

  it('a mutation is bound to nothing, though it says that it watches', async () => {
    const { app } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.watchesToo.mutate();
    expect(mutated[0]?.channels).toEqual([]);
  });
});

describe('a broker that fails', () => {
  it('does not fail the mutation; the failure is counted and reported', async () => {
    api.handler = () => ({ status: 401 });
    const { app, faults, counts } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.save.mutate()).toEqual({ saved: true });
    expect(mutated[0]?.touched).toEqual([{ channel: ORG, position: null, message: ALL }]);
    expect(faults).toMatchObject([{ kind: 'publish', path: 'save', error: { code: 'api_unauthorized' } }]);
    expect(counts).toMatchObject({ publish: 1, touches: 0 });
  });

  it('delays the mutation by positionWaitMs at most, while publishing goes on', async () => {
    const clock = new ManualClock();
    let answer: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    api.handler = async () => {
      await gate;
      return undefined;
    };
    const kept: Promise<unknown>[] = [];
    const { app } = start({ clock, positionWaitMs: 250 }, { waitUntil: (promise) => kept.push(promise) });
    const { client, mutated } = await app.connect('httpBatchLink');
    const saving = client.save.mutate();
    await expect.poll(() => clock.pending).toEqual([250]);
    clock.advance(250);
    expect(await saving).toEqual({ saved: true });
    expect(mutated[0]?.touched).toEqual([{ channel: ORG, position: null, message: ALL }]);
    expect(api.published.get(ORG)).toBeUndefined();
    expect(kept).toHaveLength(1);
    answer();
    await kept[0];
    expect(api.published.get(ORG)).toEqual([ALL]);
  });

  it('lets the positions through that are known in time', async () => {
    const refusal = { error: { code: 102, message: 'unknown channel' } };
    api.script.push({ body: { replies: [{ publish: { epoch: 'e', offset: 4 } }, refusal] } });
    const { app, faults } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.any.mutate([ORG, Channels.global()]);
    expect(mutated[0]?.touched.map(({ position }) => position)).toEqual([{ epoch: 'e', offset: 4 }, null]);
    expect(faults).toHaveLength(1);
  });
});

describe('a function that names what is touched wrongly', () => {
  it('costs the announcement, not the answer, and is reported', async () => {
    const { app, faults } = start();
    const { client } = await app.connect('httpBatchLink');
    expect(await client.throwing.mutate()).toEqual({ saved: true });
    expect(faults).toMatchObject([{ kind: 'touches', path: 'throwing', error: { message: 'of the app' } }]);
  });

  it.each([
    ['a foreign channel', 'chat:1'],
    ['a bad id', 'trpc:org:a b'],
    ['an unknown message', { channel: ORG, message: { type: 'oops' } }],
    ['no channel', { message: ALL }],
    ['a number', 7],
    ['one bad of two', [ORG, 'chat:1']],
  ])('%s', async (_, touches) => {
    const { app, faults } = start();
    const { client } = await app.connect('httpBatchLink');
    expect(await client.any.mutate(touches as Touches)).toEqual({ saved: true });
    expect(faults).toMatchObject([{ kind: 'touches', path: 'any' }]);
    expect(api.requests).toEqual([]);
  });

  it('a listener that throws changes nothing', async () => {
    const print = vi.spyOn(console, 'error').mockReturnValue();
    const { app } = start({
      onFault: () => {
        throw new Error('of the listener');
      },
    });
    const { client } = await app.connect('httpBatchLink');
    expect(await client.throwing.mutate()).toEqual({ saved: true });
    expect(print).toHaveBeenCalledExactlyOnceWith('[@op/realtime] onFault threw.', expect.any(Error));
  });

  it('without a listener it is printed, one of a kind in ten seconds', () => {
    const print = vi.spyOn(console, 'error').mockReturnValue();
    let now = 0;
    const faults = new FaultReporter(undefined, { now: () => now, after: () => () => undefined });
    for (now of [0, 9_999, 10_000]) faults.report('publish', 'save', new Error('down'));
    faults.report('stamps', null, new Error('down'));
    expect(print.mock.calls.map(([line]) => line)).toEqual([
      '[@op/realtime] publish of save failed (1 so far). Other tabs stay stale until the next announcement.',
      '[@op/realtime] publish of save failed (3 so far). Other tabs stay stale until the next announcement.',
      '[@op/realtime] stamps failed (1 so far). First joins cost a refetch.',
    ]);
  });
});

describe('spreading', () => {
  it('is part of an invalidation, not of an event, nor of what has a spread already', async () => {
    const { app } = start({ spread: () => 700 });
    const { client } = await app.connect('httpBatchLink');
    const event: Message = { type: 'event', name: 'x', data: 1 };
    await client.any.mutate([
      { channel: ORG, message: event },
      { channel: ORG, message: { ...KEYED, spreadMs: 5 } },
      ORG,
    ]);
    expect(api.published.get(ORG)).toEqual([event, { ...KEYED, spreadMs: 5 }, { ...ALL, spreadMs: 700 }]);
  });

  it('that fails costs only itself', async () => {
    const { app, faults } = start({
      spread: () => {
        throw new Error('of the app');
      },
    });
    const { client } = await app.connect('httpBatchLink');
    await client.save.mutate();
    expect(api.published.get(ORG)).toEqual([ALL]);
    expect(faults).toMatchObject([{ kind: 'spread' }]);
  });
});
