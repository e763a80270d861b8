import { type inferRouterInputs, type inferRouterOutputs, initTRPC, TRPCError } from '@trpc/server';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { Channels, defineChannels } from '../../core/channel.ts';
import {
  base,
  initRealtime,
  noStamp,
  type RealtimeContext,
  realtimeContext,
  realtimeRouter,
  touches,
  touching,
  watches,
  watching,
} from './index.ts';

/** Types that users see: this file is checked by tsc alone. */

interface User {
  readonly id: string;
  readonly orgIds: readonly string[];
}
const createContext = () => ({ user: null as User | null, db: 1, ...realtimeContext({}) });
const t = initTRPC.context<ReturnType<typeof createContext>>().create();
const procedure = t.procedure.use(base);
const authed = procedure.use(({ ctx, next }) => {
  if (!ctx.user) throw new TRPCError({ code: 'UNAUTHORIZED' });
  return next({ ctx: { user: ctx.user } });
});
const App = defineChannels({ pollVotes: { ids: ['pollId', 'userId'] } });

interface Post {
  readonly id: number;
  readonly orgId: string;
}
declare const post: Post;

const router = t.router({
  /** Context narrowed by the login, parsed input, a later override and the output stay exact. */
  list: authed
    .input(z.object({ orgId: z.string(), page: z.number().default(1) }))
    .use(
      watches(({ ctx, input }) => {
        expectTypeOf(ctx.user).toEqualTypeOf<User>();
        expectTypeOf(input).toEqualTypeOf<{ orgId: string; page: number }>();
        return [Channels.org(input.orgId), ctx.user.orgIds.length > 1 && Channels.global()];
      }),
    )
    .use(({ next }) => next({ ctx: { extra: 7 as const } }))
    .query(({ ctx, input }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<User>();
      expectTypeOf(ctx.extra).toEqualTypeOf<7>();
      expectTypeOf(input.page).toEqualTypeOf<number>();
      noStamp(ctx);
      return [post];
    }),

  /** Without an input it is undefined, and the channels may come later. */
  all: procedure
    .use(
      watches(async ({ input }) => {
        expectTypeOf(input).toEqualTypeOf<undefined>();
        return Channels.global();
      }),
    )
    .output(z.array(z.string()))
    .query(() => ['a']),

  /** The transaction that a middleware opened keeps its type, and `ctx.touch` comes with it. */
  pay: authed
    .use(({ next }) =>
      next({ ctx: { tx: { runSql: async () => [] as readonly unknown[], isolation: 'serializable' as const } } }),
    )
    .input(z.object({ orgId: z.string() }))
    .use(
      touches({
        transaction: ({ ctx, input }) => {
          expectTypeOf(ctx.tx.isolation).toEqualTypeOf<'serializable'>();
          expectTypeOf(input.orgId).toEqualTypeOf<string>();
          return ctx.tx;
        },
      }),
    )
    .use(
      touches(({ ctx, input }) => [Channels.org(input.orgId), Channels.user(ctx.user.id)], {
        transaction: ({ ctx }) => ctx.tx,
      }),
    )
    .mutation(({ ctx, input }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<User>();
      expectTypeOf(ctx.tx.isolation).toEqualTypeOf<'serializable'>();
      ctx.touch(Channels.org(input.orgId));
      return post;
    }),

  /** Channels from the result. */
  byId: authed.input(z.object({ id: z.number() })).query(
    watching(
      ({ ctx, input }) => {
        expectTypeOf(ctx.user).toEqualTypeOf<User>();
        expectTypeOf(input).toEqualTypeOf<{ id: number }>();
        return post;
      },
      ({ ctx, input, data }) => {
        expectTypeOf(ctx.user).toEqualTypeOf<User>();
        expectTypeOf(input).toEqualTypeOf<{ id: number }>();
        expectTypeOf(data).toEqualTypeOf<Post>();
        return Channels.org(data.orgId);
      },
    ),
  ),

  create: authed
    .input(z.object({ orgId: z.string() }))
    .use(
      touches(({ ctx, input, data }) => {
        expectTypeOf(ctx.user).toEqualTypeOf<User>();
        expectTypeOf(input).toEqualTypeOf<{ orgId: string }>();
        expectTypeOf(data).toEqualTypeOf<unknown>();
        return [
          Channels.org(input.orgId),
          App.pollVotes(1, 2),
          { channel: Channels.global(), message: { type: 'query-invalidation', queryKey: ['post'] } },
        ];
      }),
    )
    .mutation(() => post),

  move: authed
    .input(z.object({ id: z.number() }))
    .output(z.object({ id: z.number(), orgId: z.string() }))
    .mutation(
      touching(
        async ({ input }) => ({ id: input.id, orgId: 'a' }),
        ({ ctx, input, data }) => {
          expectTypeOf(ctx.user).toEqualTypeOf<User>();
          expectTypeOf(input).toEqualTypeOf<{ id: number }>();
          expectTypeOf(data).toEqualTypeOf<{ id: number; orgId: string }>();
          return Channels.org(data.orgId);
        },
      ),
    ),

  touch: authed.use(touches()).mutation(({ ctx }) => {
    expectTypeOf(ctx.user).toEqualTypeOf<User>();
    ctx.touch(Channels.global());
    // @ts-expect-error not a channel
    ctx.touch('global');
    return null;
  }),

  realtime: realtimeRouter({
    procedure: authed,
    userId: ({ ctx }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<User>();
      return ctx.user.id;
    },
    canSubscribe: ({ ctx, channel }) => ctx.user.orgIds.some((id) => Channels.org(id) === channel),
  }),
});

type Outputs = inferRouterOutputs<typeof router>;
type Inputs = inferRouterInputs<typeof router>;
expectTypeOf<Outputs['list']>().toEqualTypeOf<Post[]>();
expectTypeOf<Outputs['all']>().toEqualTypeOf<string[]>();
expectTypeOf<Outputs['byId']>().toEqualTypeOf<Post>();
expectTypeOf<Outputs['create']>().toEqualTypeOf<Post>();
expectTypeOf<Outputs['move']>().toEqualTypeOf<{ id: number; orgId: string }>();
expectTypeOf<Outputs['touch']>().toEqualTypeOf<null>();
expectTypeOf<Inputs['list']>().toEqualTypeOf<{ orgId: string; page?: number | undefined }>();
expectTypeOf<Outputs['realtime']['getToken']>().toEqualTypeOf<{ token: string }>();
expectTypeOf<Inputs['realtime']['getChannelTokens']>().toEqualTypeOf<{ channels: readonly string[] }>();

// @ts-expect-error a string that is no channel of ours
authed.use(watches(() => 'global'));
// @ts-expect-error an unknown key of the input
authed.input(z.object({ a: z.string() })).use(watches(({ input }) => Channels.org(input.b)));
// @ts-expect-error an unknown type of message
authed.use(touches(() => ({ channel: Channels.global(), message: { type: 'oops' } })));
// @ts-expect-error ctx.touch is there only with touches()
authed.mutation(({ ctx }) => ctx.touch(Channels.global()));

/** Annotated by hand, a middleware is reusable without `t`; and pieces may be joined. */
const watchesOrg = watches((options: { ctx: { user: User }; input: { orgId: string } }) =>
  Channels.org(options.input.orgId),
);
authed.input(z.object({ orgId: z.string(), more: z.number() })).use(watchesOrg);
// @ts-expect-error the input has no orgId
authed.input(z.object({ id: z.string() })).use(watchesOrg);
authed.concat(
  t.procedure.input(z.object({ orgId: z.string() })).use(watches(({ input }) => Channels.org(input.orgId))),
);

initRealtime({ userId: (ctx: { user: User | null }) => ctx.user?.id });

/** No symbol among the keys: an app with `declaration: true` could not name it. */
expectTypeOf<keyof RealtimeContext>().toEqualTypeOf<'~op/realtime'>();
