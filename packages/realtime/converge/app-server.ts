import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initTRPC, TRPCError } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { z } from 'zod';
import type { ChannelName } from '../src/core/channel.ts';
import type { Random } from '../src/core/clock.ts';
import { createRealtime, defineChannels, type Realtime } from '../src/server/index.ts';
import { initRealtime, realtimeContext, realtimeResponseMeta, realtimeRouter } from '../src/trpc/server/index.ts';
import { API_KEY, type BrokerProcess, TOKEN_SECRET } from './broker-process.ts';
import type { Database } from './database.ts';

export const Topics = defineChannels({ topic: { ids: ['name'] } });

/** Short lives, so that grants and tokens expire, and are renewed, several times in a run. */
const TOKEN_TTL_SECONDS = 4;

export interface AppServerOptions {
  readonly database: Database;
  readonly broker: BrokerProcess;
  readonly random: Random;
  /** How long a resolver may take before it reads, and before its answer leaves. */
  readonly maxLatencyMs: number;
}

export interface AppServer {
  readonly port: number;
  readonly realtime: Realtime;
  /** Calls that went wrong beside an answered call. */
  readonly faults: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export type AppRouter = ReturnType<typeof createRouter>;

function createRouter({ database, random, maxLatencyMs }: AppServerOptions, realtime: Realtime) {
  const t = initTRPC.context<{ userId: string }>().create();
  const procedures = initRealtime<{ userId: string }>({
    realtime,
    channels: Topics,
    userId: ({ userId }) => userId,
    grantTtlSeconds: TOKEN_TTL_SECONDS,
    onFault: () => {},
    spread: () => 0,
  });
  const { base, watches, touches, touching } = procedures;
  const procedure = t.procedure.use(base);
  const pause = () => new Promise((resolve) => setTimeout(resolve, random() * maxLatencyMs));
  const topic = z.string();

  const router = t.router({
    realtime: realtimeRouter({
      procedure: t.procedure,
      realtime,
      userId: ({ ctx }) => ctx.userId,
      canSubscribe: () => true,
      connectionTtlSeconds: TOKEN_TTL_SECONDS,
      channelTtlSeconds: TOKEN_TTL_SECONDS,
    }),
    /** One topic. */
    list: procedure
      .input(topic)
      .use(watches(({ input }) => Topics.topic(input)))
      .query(async ({ input }) => {
        await pause();
        const notes = database.read(input);
        await pause();
        return { notes };
      }),
    /** Two topics in one answer, read at one moment. */
    both: procedure
      .input(z.tuple([topic, topic]))
      .use(watches(({ input }) => input.map((name): ChannelName => Topics.topic(name))))
      .query(async ({ input: [first, second] }) => {
        await pause();
        const notes = [database.read(first), database.read(second)];
        await pause();
        return { notes };
      }),
    /** A primitive, which has no identity. */
    count: procedure
      .input(topic)
      .use(watches(({ input }) => Topics.topic(input)))
      .query(async ({ input }) => {
        await pause();
        const { length } = database.read(input);
        await pause();
        return length;
      }),
    append: procedure
      .input(z.object({ topic, note: z.string() }))
      .use(touches(({ input }) => Topics.topic(input.topic)))
      .mutation(async ({ input }) => {
        await pause();
        database.append(input.topic, input.note);
        await pause();
        return { notes: database.read(input.topic).length };
      }),
    /** Announces what it touched by its result. */
    clear: procedure.input(topic).mutation(
      touching(
        async ({ input }: { input: string; ctx: object }) => {
          await pause();
          database.clear(input);
          return { cleared: input };
        },
        ({ data }) => Topics.topic(data.cleared),
      ),
    ),
    refuse: procedure.mutation(async (): Promise<void> => {
      await pause();
      throw new TRPCError({ code: 'CONFLICT', message: 'refused' });
    }),
  });
  return Object.assign(router, { faultCounts: procedures.faultCounts });
}

/** The application's server: real tRPC over HTTP, announcing to the broker. */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const realtime = createRealtime({
    apiUrl: `http://127.0.0.1:${options.broker.port}/api`,
    apiKey: API_KEY,
    tokenSecret: TOKEN_SECRET,
    timeoutMs: 1000,
  });
  const router = createRouter(options, realtime);
  const server = createServer(
    createHTTPHandler({
      router,
      createContext: ({ req, info }) => ({
        userId: String(req.headers['x-user'] ?? ''),
        ...realtimeContext({ req, info }),
      }),
      responseMeta: realtimeResponseMeta(),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    realtime,
    faults: router.faultCounts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
