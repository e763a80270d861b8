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

/** How long the tokens of a user live. Short, so that they expire, and are renewed, several times in a run. */
export interface TokenLives {
  connectionSeconds: number;
  grantSeconds: number;
}

/** What the server did for a user. */
export interface Served {
  /** Queries that have read the database. */
  reads: number;
  /** Mutations that have committed. */
  commits: number;
  /** Connection tokens. */
  tokens: number;
  /** What queries wait for between reading the database and answering. */
  gate: Promise<void> | null;
}

/** The share of writes that hold their transaction open for longer. */
const SLOW_COMMITS = 0.2;

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
  /** By user; to be changed at any time. */
  livesOf(userId: string): TokenLives;
  served(userId: string): Served;
  /** Whether the broker tells where a channel stands. Where it does not, answers carry no stamps. */
  tellsPositions: boolean;
  /** Announces a topic until the broker has taken it, as a job does that publishes after its commit. */
  announce(topic: string): Promise<void>;
  close(): Promise<void>;
}

export type AppRouter = ReturnType<typeof createRouter>;

function createRouter(
  { database, random, maxLatencyMs }: AppServerOptions,
  realtime: Realtime,
  served: (userId: string) => Served,
) {
  const t = initTRPC.context<{ userId: string }>().create();
  const procedures = initRealtime<{ userId: string }>({
    realtime,
    channels: Topics,
    userId: ({ userId }) => userId,
    onFault: () => {},
    spread: () => 0,
  });
  const { base, watches, touches, touching } = procedures;
  const procedure = t.procedure.use(base);
  const pause = (times = 1) => new Promise((resolve) => setTimeout(resolve, random() * maxLatencyMs * times));
  const topic = z.string();

  const router = t.router({
    realtime: realtimeRouter({
      procedure: t.procedure,
      realtime,
      userId: ({ ctx }) => ctx.userId,
      canSubscribe: () => true,
    }),
    /** One topic. */
    list: procedure
      .input(topic)
      .use(watches(({ input }) => Topics.topic(input)))
      .query(async ({ input, ctx }) => {
        await pause();
        const read = database.read(input);
        served(ctx.userId).reads++;
        await served(ctx.userId).gate;
        await pause();
        return read;
      }),
    /** Two topics in one answer, read at one moment. */
    both: procedure
      .input(z.tuple([topic, topic]))
      .use(watches(({ input }) => input.map((name): ChannelName => Topics.topic(name))))
      .query(async ({ input: [first, second], ctx }) => {
        await pause();
        const topics = [database.read(first), database.read(second)];
        served(ctx.userId).reads++;
        await served(ctx.userId).gate;
        await pause();
        return { topics };
      }),
    /** A primitive, which has no identity. */
    version: procedure
      .input(topic)
      .use(watches(({ input }) => Topics.topic(input)))
      .query(async ({ input, ctx }) => {
        await pause();
        const { version } = database.read(input);
        served(ctx.userId).reads++;
        await served(ctx.userId).gate;
        await pause();
        return version;
      }),
    append: procedure
      .input(z.object({ topic, note: z.string() }))
      .use(touches(({ input }) => Topics.topic(input.topic)))
      .mutation(async ({ input, ctx }) => {
        await pause();
        if (random() < SLOW_COMMITS) await pause(10);
        const { version } = database.append(input.topic, input.note);
        served(ctx.userId).commits++;
        await pause();
        return { version };
      }),
    /** Announces what it touched by its result. */
    clear: procedure.input(topic).mutation(
      touching(
        async ({ input }: { input: string; ctx: object }) => {
          await pause();
          const { version } = database.clear(input);
          return { cleared: input, version };
        },
        ({ data }) => Topics.topic(data.cleared),
      ),
    ),
    refuse: procedure.input(z.number()).mutation(async ({ input: afterMs }): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      throw new TRPCError({ code: 'CONFLICT', message: 'refused' });
    }),
  });
  return Object.assign(router, { faultCounts: procedures.faultCounts });
}

/** The application's server: real tRPC over HTTP, announcing to the broker. */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const { database, broker } = options;
  const lives = new Map<string, TokenLives>();
  const livesOf = (userId: string) => obtain(lives, userId, () => ({ connectionSeconds: 4, grantSeconds: 4 }));
  const counts = new Map<string, Served>();
  const served = (userId: string) => obtain(counts, userId, () => ({ reads: 0, commits: 0, tokens: 0, gate: null }));
  const plain = createRealtime({
    apiUrl: `http://127.0.0.1:${broker.port}/api`,
    apiKey: API_KEY,
    tokenSecret: TOKEN_SECRET,
    timeoutMs: 1000,
  });
  const realtime: Realtime = {
    ...plain,
    createConnectionToken(request) {
      served(request.userId).tokens++;
      return plain.createConnectionToken({ ...request, ttlSeconds: livesOf(request.userId).connectionSeconds });
    },
    createChannelToken: (request) =>
      plain.createChannelToken({ ...request, ttlSeconds: livesOf(request.userId).grantSeconds }),
    createChannelTokens: (request) =>
      plain.createChannelTokens({ ...request, ttlSeconds: livesOf(request.userId).grantSeconds }),
    positions: async (channels, positionOptions) =>
      server.tellsPositions ? plain.positions(channels, positionOptions) : new Map(),
    async publish(channel, message, publishOptions) {
      const topic = channel.slice(channel.lastIndexOf(':') + 1);
      const { version } = database.read(topic);
      const { life } = broker;
      try {
        const result = await plain.publish(channel, message, publishOptions);
        database.announced(topic, version);
        return result;
      } catch (error) {
        // A broker that lives and did not take it: without another attempt nobody could know of the commit (freshness rule A8). One that died forgets its streams.
        if (broker.life === life && broker.isRunning) void announce(topic);
        throw error;
      }
    },
  };
  let isClosed = false;
  const announce = async (topic: string): Promise<void> => {
    while (!isClosed) {
      const { version } = database.read(topic);
      try {
        await plain.publish(Topics.topic(topic), { type: 'channel-invalidation' });
        database.announced(topic, version);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  const router = createRouter(options, realtime, served);
  const http = createServer(
    createHTTPHandler({
      router,
      createContext: ({ req, info }) => ({
        userId: String(req.headers['x-user'] ?? ''),
        ...realtimeContext({ req, info }),
      }),
      responseMeta: realtimeResponseMeta(),
    }),
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: AppServer = {
    port: (http.address() as AddressInfo).port,
    realtime,
    faults: router.faultCounts,
    livesOf,
    served,
    tellsPositions: true,
    announce,
    close: async () => {
      isClosed = true;
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

function obtain<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
