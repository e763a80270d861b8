import { realtimeContext, realtimeResponseMeta } from '@op/realtime/trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { appRouter } from '../../../../server/router.ts';

function handler(req: Request): Promise<Response> {
  return fetchRequestHandler({
    endpoint: '/api/trpc',
    req,
    router: appRouter,
    createContext: ({ info }) => ({ userId: 'guest', ...realtimeContext({ req, info, userId: 'guest' }) }),
    responseMeta: realtimeResponseMeta(),
  });
}

export { handler as GET, handler as POST };
