import { setTimeout } from 'node:timers/promises';
import { realtimeContext, realtimeResponseMeta } from '@op/realtime/trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { Hono } from 'hono';
import type { Chaos } from './chaos.ts';
import type { Db } from './database/database.ts';
import { USER_HEADER } from './trpc/init.ts';
import { appRouter } from './trpc/router.ts';

/** The switch that takes the delay away is not delayed itself. */
const CHAOS_PATH = '/trpc/chaos.';

export interface ApiParts {
  readonly db: Db;
  readonly chaos: Chaos;
}

/** Whether a request is for the API; all others are for the pages. */
export const isApiPath = (url: string): boolean => /^\/(?:trpc|health)(?:[/?]|$)/.test(url);

/** The API: tRPC under `/trpc`, and `/health`. */
export function createApi({ db, chaos }: ApiParts): Hono {
  const app = new Hono();

  app.use('/trpc/*', async (c, next) => {
    if (chaos.apiDelayMs > 0 && !c.req.path.startsWith(CHAOS_PATH)) await setTimeout(chaos.apiDelayMs);
    return next();
  });

  app.all('/trpc/*', (c) =>
    fetchRequestHandler({
      endpoint: '/trpc',
      req: c.req.raw,
      router: appRouter,
      createContext: ({ req, info }) => ({
        db,
        chaos,
        claimedUserId: req.headers.get(USER_HEADER),
        ...realtimeContext({ req, info }),
      }),
      responseMeta: realtimeResponseMeta(),
    }),
  );

  app.get('/health', (c) => c.json({}));

  return app;
}
