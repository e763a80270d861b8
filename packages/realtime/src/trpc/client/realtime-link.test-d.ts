/** Checked by the compiler alone: what users see of the types. */
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  loggerLink,
  splitLink,
  wsLink,
} from '@trpc/client';
import { initTRPC } from '@trpc/server';
import type { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import superjson from 'superjson';
import { expectTypeOf } from 'vitest';
import { realtimeLink } from './index.ts';

const plain = initTRPC.create();
const plainRouter = plain.router({ time: plain.procedure.query(() => ({ at: new Date() })) });
type PlainRouter = typeof plainRouter;

const rich = initTRPC.create({ transformer: superjson });
const richRouter = rich.router({ time: rich.procedure.query(() => ({ at: new Date() })) });
type RichRouter = typeof richRouter;

const url = '/api/trpc';

// Outputs are those of the router, whatever travels.
const client = createTRPCClient<PlainRouter>({ links: [realtimeLink((rt) => httpBatchStreamLink({ url, ...rt }))] });
expectTypeOf(client.time.query).returns.resolves.toEqualTypeOf<{ at: string }>();
const richClient = createTRPCClient<RichRouter>({
  links: [loggerLink(), realtimeLink((rt) => httpBatchLink({ url, transformer: superjson, ...rt }))],
});
expectTypeOf(richClient.time.query).returns.resolves.toEqualTypeOf<{ at: Date }>();

// Every terminating link takes the announcement.
createTRPCClient<PlainRouter>({ links: [realtimeLink((rt) => httpLink({ url, ...rt }))] });
createTRPCClient<PlainRouter>({ links: [realtimeLink((rt) => wsLink({ client: createWSClient({ url, ...rt }) }))] });
createTRPCClient<PlainRouter>({
  links: [realtimeLink((rt) => httpBatchLink({ url, headers: () => ({ authorization: 'x', ...rt.headers() }) }))],
});
createTRPCClient<RichRouter>({
  links: [
    realtimeLink((rt) =>
      splitLink({
        condition: (op) => op.type === 'subscription',
        true: httpSubscriptionLink({ url, transformer: superjson }),
        false: httpBatchStreamLink({ url, transformer: superjson, ...rt }),
      }),
    ),
  ],
});
createTRPCClient<RichRouter>({
  links: [
    splitLink({
      condition: (op) => op.type === 'subscription',
      true: httpSubscriptionLink({ url, transformer: superjson }),
      false: realtimeLink((rt) => httpBatchStreamLink({ url, transformer: superjson, ...rt })),
    }),
  ],
});

// tRPC's own complaints stay.
createTRPCClient<RichRouter>({
  links: [
    realtimeLink((rt) =>
      // @ts-expect-error the router has a transformer, so the link needs it
      httpBatchLink({ url, ...rt }),
    ),
  ],
});
createTRPCClient<PlainRouter>({
  links: [
    realtimeLink((rt) =>
      // @ts-expect-error the router has none
      httpBatchLink({ url, transformer: superjson, ...rt }),
    ),
  ],
});
// @ts-expect-error it wraps a link
createTRPCClient<PlainRouter>({ links: [realtimeLink()] });
// @ts-expect-error it wraps a link, not its result
createTRPCClient<PlainRouter>({ links: [realtimeLink(httpBatchLink({ url }))] });

// The options proxy infers as ever.
declare const proxy: ReturnType<typeof createTRPCOptionsProxy<RichRouter>>;
expectTypeOf(proxy.time.queryOptions().queryFn).not.toBeAny();
