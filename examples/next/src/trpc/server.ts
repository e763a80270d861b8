import { Answers } from '@op/realtime/query';
import { realtimeLink } from '@op/realtime/trpc/client';
import { realtimeContext } from '@op/realtime/trpc/server';
import { createTRPCClient, unstable_localLink } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { cache } from 'react';
import { type AppRouter, appRouter } from '../server/router.ts';
import { makeQueryClient } from './query-client.ts';

/** One per request: what an answer says about itself includes grants of its user, which must never meet another request. */
export const getServerSide = cache(() => {
  const answers = new Answers();
  const queryClient = makeQueryClient(answers);
  const client = createTRPCClient<AppRouter>({
    links: [
      realtimeLink(
        () =>
          unstable_localLink({
            router: appRouter,
            createContext: async () => ({
              userId: 'guest',
              ...realtimeContext({ announced: true, userId: 'guest' }),
            }),
          }),
        { answers },
      ),
    ],
  });
  return { queryClient, trpc: createTRPCOptionsProxy<AppRouter>({ client, queryClient }) };
});
