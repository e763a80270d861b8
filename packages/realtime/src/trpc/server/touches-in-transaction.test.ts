import { initTRPC, TRPCError } from '@trpc/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi } from '../../../test/fake-api.ts';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { Channels } from '../../core/channel.ts';
import type { Message } from '../../core/message.ts';
import { relayTable } from '../../outbox/index.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { type InitRealtimeOptions, initRealtime, type RealtimeFault, realtimeContext } from './index.ts';

const ORG = Channels.org('1');
const KEYED: Message = { type: 'query-invalidation', queryKey: ['post', 'list'] };
const ALL: Message = { type: 'channel-invalidation' };

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

/** A database that remembers what transactions wrote, and whether they came to stay. */
class Database {
  readonly log: string[] = [];
  /** What statements reject with. */
  failure: Error | null = null;

  async transaction<T>(work: (tx: object) => Promise<T>): Promise<T> {
    this.log.push('BEGIN');
    const runSql = async (text: string, [rows]: readonly (string | null)[]) => {
      if (this.failure) throw this.failure;
      const table = /INTO (\S+)/.exec(text)?.[1];
      for (const { channel, message } of JSON.parse(String(rows))) this.log.push(`${table} ${channel} ${message}`);
    };
    try {
      const result = await work({ runSql });
      this.log.push('COMMIT');
      return result;
    } catch (error) {
      this.log.push('ROLLBACK');
      throw error;
    }
  }
}

const wrote = (channel: string, message: Message, table = 'realtime_outbox') =>
  `"${table}" ${channel} ${JSON.stringify(message)}`;

function start(options: InitRealtimeOptions = {}) {
  const database = new Database();
  const faults: RealtimeFault[] = [];
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', spread: () => 0 });
  const { base, touches } = initRealtime({
    realtime,
    positionWaitMs: 5000,
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const t = initTRPC.context<object>().create();
  const procedure = t.procedure.use(base);
  const inTransaction = procedure.use(({ next }) =>
    database.transaction(async (tx) => {
      const result = await next({ ctx: { tx } });
      if (!result.ok) throw result.error;
      return result;
    }),
  );
  const within = touches({ transaction: ({ ctx }: { ctx: { tx: object } }) => ctx.tx });
  const router = t.router({
    named: inTransaction
      .use(
        touches(() => [ORG, ORG, { channel: Channels.user('7'), message: KEYED }], {
          transaction: ({ ctx }) => ctx.tx,
        }),
      )
      .mutation(() => {
        database.log.push('resolver');
        return { saved: true };
      }),
    byHand: inTransaction.use(within).mutation(({ ctx }) => {
      ctx.touch(ORG);
      ctx.touch([null, { channel: ORG, message: KEYED }]);
      return null;
    }),
    fails: inTransaction.use(within).mutation(({ ctx }): null => {
      ctx.touch(ORG);
      throw new TRPCError({ code: 'CONFLICT' });
    }),
    commitFails: procedure
      .use(({ next }) =>
        database.transaction(async (tx) => {
          const result = await next({ ctx: { tx } });
          if (result.ok) throw new Error('serialization failure');
          return result;
        }),
      )
      .use(touches(() => ORG, { transaction: ({ ctx }) => ctx.tx }))
      .mutation(() => null),
    wrongMessage: inTransaction
      .use(
        touches(() => ({ channel: ORG, message: { type: 'refresh' } as unknown as Message }), {
          transaction: ({ ctx }) => ctx.tx,
        }),
      )
      .mutation(() => null),
    noTransaction: procedure.use(touches(() => ORG, { transaction: () => ({}) })).mutation(() => null),
    nothing: inTransaction.use(touches(() => null, { transaction: ({ ctx }) => ctx.tx })).mutation(() => null),
    both: inTransaction
      .use(touches(() => ORG, { transaction: ({ ctx }) => ctx.tx }))
      .use(touches(() => Channels.global()))
      .mutation(() => null),
    late: inTransaction.use(within).mutation(({ ctx }) => ({ later: () => ctx.touch(ORG) })),
    subscription: t.procedure.use(touches(() => ORG, { transaction: () => ({}) })).subscription(async function* () {
      yield 1;
    }),
  });
  const app = new TrpcApp(router, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
  return { app, database, faults, router, caller: t.createCallerFactory(router)({}) };
}

describe('touches({ transaction })', () => {
  it('writes before the commit, publishes nothing, and the answer tells what was touched without a position', async () => {
    const { app, database } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    expect(await client.named.mutate()).toEqual({ saved: true });
    expect(database.log).toEqual(['BEGIN', 'resolver', wrote(ORG, ALL), wrote('trpc:user:7', KEYED), 'COMMIT']);
    expect(api.requests).toEqual([]);
    expect(mutated).toMatchObject([
      {
        touched: [
          { channel: ORG, position: null, message: ALL },
          { channel: 'trpc:user:7', position: null, message: KEYED },
        ],
      },
    ]);
  });

  it('gives the resolver `ctx.touch`', async () => {
    const { app, database } = start();
    const { client } = await app.connect('httpLink');
    await client.byHand.mutate();
    expect(database.log).toEqual(['BEGIN', wrote(ORG, ALL), wrote(ORG, KEYED), 'COMMIT']);
  });

  it('writes for callers on the server as well', async () => {
    const { caller, database } = start();
    expect(await caller.named()).toEqual({ saved: true });
    expect(database.log).toContain(wrote(ORG, ALL));
  });

  it.each(['fails', 'commitFails'] as const)(
    'announces nothing of a transaction that is rolled back: %s',
    async (path) => {
      const { app, database } = start();
      const { client, mutated } = await app.connect('httpBatchLink');
      await expect(client[path].mutate()).rejects.toThrow();
      expect(database.log.at(-1)).toBe('ROLLBACK');
      expect(database.log).not.toContain('COMMIT');
      expect(api.requests).toEqual([]);
      expect(mutated).toEqual([]);
    },
  );

  it('fails the mutation, and so its transaction, where the announcement cannot be written', async () => {
    const { app, database, faults } = start();
    const { client } = await app.connect('httpBatchLink');
    database.failure = Object.assign(new Error('relation does not exist'), { code: '42P01' });
    await expect(client.named.mutate()).rejects.toThrow('sql/realtime-outbox.sql');
    database.failure = null;
    await expect(client.wrongMessage.mutate()).rejects.toThrow('Not a message: unknown type "refresh"');
    expect(database.log.filter((line) => line === 'ROLLBACK')).toHaveLength(2);
    await expect(client.noTransaction.mutate()).rejects.toThrow('is not a transaction of a known library');
    expect(faults).toEqual([]);
  });

  it('writes where the configuration says', async () => {
    const { caller, database } = start({ outbox: relayTable({ table: 'elsewhere' }) });
    await caller.named();
    expect(database.log).toContain(wrote(ORG, ALL, 'elsewhere'));
  });

  it('writes nothing where nothing is touched', async () => {
    const { app, database } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.nothing.mutate();
    expect(database.log).toEqual(['BEGIN', 'COMMIT']);
    expect(mutated).toEqual([]);
  });

  it('stands beside one that publishes', async () => {
    const { app, database } = start();
    const { client, mutated } = await app.connect('httpBatchLink');
    await client.both.mutate();
    expect(database.log).toEqual(['BEGIN', wrote(ORG, ALL), 'COMMIT']);
    expect([...api.published.keys()]).toEqual([Channels.global()]);
    expect(mutated[0]?.touched.map(({ channel, position }) => [channel, position?.offset ?? null])).toEqual([
      [Channels.global(), 1],
      [ORG, null],
    ]);
  });

  it('refuses what comes after the transaction, and a subscription, which has none', async () => {
    const { caller } = start();
    const { later } = await caller.late();
    expect(later).toThrow('the transaction is over');
    const iterate = async () => {
      for await (const _ of await caller.subscription()) return;
    };
    await expect(iterate()).rejects.toThrow('which has no transaction');
  });
});
