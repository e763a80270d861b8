import { setTimeout } from 'node:timers/promises';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { Hono } from 'hono';
import type { Chaos } from './chaos.ts';
import type { Asset } from './client-bundle.ts';
import type { Db } from './database/database.ts';
import type { Announcer } from './realtime/announce.ts';
import { USER_HEADER } from './trpc/init.ts';
import { appRouter } from './trpc/router.ts';

/** The switch that takes the delay away is not delayed itself. */
const CHAOS_PATH = '/trpc/chaos.';

export interface HttpAppParts {
  readonly db: Db;
  readonly announce: Announcer;
  readonly chaos: Chaos;
  readonly assets: ReadonlyMap<string, Asset>;
}

/** One port for everything: tRPC under `/trpc`, the built client for every other path. */
export function createHttpApp({ db, announce, chaos, assets }: HttpAppParts): Hono {
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
      createContext: () => ({ db, announce, chaos, claimedUserId: c.req.header(USER_HEADER) ?? null }),
    }),
  );

  app.get('/health', (c) => c.json({}));

  app.get('*', (c) => {
    const isAsset = c.req.path.startsWith('/assets/');
    const asset = assets.get(c.req.path) ?? (isAsset ? undefined : assets.get('/index.html'));
    if (!asset) return c.notFound();
    // Names of assets contain a hash of what is in them; the page itself is asked for anew.
    const cacheControl = isAsset ? 'public, max-age=31536000, immutable' : 'no-cache';
    return c.body(asset.body, 200, { 'Content-Type': asset.contentType, 'Cache-Control': cacheControl });
  });

  return app;
}
