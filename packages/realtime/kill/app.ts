import { setTimeout as pause } from 'node:timers/promises';
import { initTRPC, TRPCError } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import pg from 'pg';
import { z } from 'zod';
import { publishInTransaction } from '../src/outbox/index.ts';
import { createRealtime } from '../src/server/index.ts';
import { initRealtime, realtimeContext, realtimeResponseMeta, realtimeRouter } from '../src/trpc/server/index.ts';
import { inTransaction } from '../test/in-transaction.ts';
import { API_KEY, channelOf, settings, TOKEN_SECRET, tell } from './settings.ts';

/** The application, in a process of its own: real tRPC over HTTP, data and announcements in one transaction of PostgreSQL. */

const { port, databaseUrl, apiUrl, recordedApiUrl, fault } = settings();
const pool = new pg.Pool({ connectionString: databaseUrl, application_name: 'app' }).on('error', () => {});
const realtime = createRealtime({ apiUrl, apiKey: API_KEY, tokenSecret: TOKEN_SECRET, timeoutMs: 1000 });
const recorded = createRealtime({ apiUrl: recordedApiUrl, apiKey: API_KEY, timeoutMs: 1000, spread: false });

const t = initTRPC.context<{ userId: string }>().create();
const { base, watches, touches } = initRealtime<{ userId: string }>({
  realtime,
  userId: ({ userId }) => userId,
  onFault: () => {},
});
const procedure = t.procedure.use(base);
const transactional = procedure.use(({ next }) => inTransaction(pool, (tx) => next({ ctx: { tx } })));

const router = t.router({
  realtime: realtimeRouter({
    procedure: t.procedure,
    realtime,
    userId: ({ ctx }) => ctx.userId,
    canSubscribe: () => true,
  }),
  list: procedure
    .input(z.string())
    .use(watches(({ input }) => channelOf(input)))
    .query(async ({ input }) => {
      const { rows } = await pool.query('SELECT note FROM notes WHERE topic = $1 ORDER BY id DESC LIMIT 20', [input]);
      return rows.map(({ note }) => String(note)).reverse();
    }),
  write: transactional
    .input(z.object({ topic: z.string(), note: z.string(), delayMs: z.number(), fails: z.boolean() }))
    .use(touches(({ input }) => channelOf(input.topic), { transaction: ({ ctx }) => ctx.tx }))
    .mutation(async ({ ctx: { tx }, input: { topic, note, delayMs, fails } }) => {
      await tx.query('INSERT INTO notes (topic, note) VALUES ($1, $2)', [topic, note]);
      const message = { type: 'event', name: 'note', data: note } as const;
      if (fault === 'publishes-before-commit') await recorded.publish(channelOf(topic), message);
      else await publishInTransaction(tx, channelOf(topic), message);
      await pause(delayMs);
      if (fails) throw new TRPCError({ code: 'CONFLICT', message: 'refused' });
    }),
});

export type AppRouter = typeof router;

createHTTPServer({
  router,
  createContext: ({ req, info }) => ({
    userId: String(req.headers['x-user'] ?? 'nobody'),
    ...realtimeContext({ req, info }),
  }),
  responseMeta: realtimeResponseMeta(),
})
  .once('listening', () => tell({ ready: true }))
  .listen(port, '127.0.0.1');
