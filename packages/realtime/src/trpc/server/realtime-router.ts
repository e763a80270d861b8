import {
  type inferProcedureBuilderResolverOptions,
  TRPCError,
  type TRPCProcedureBuilder,
  type TRPCUnsetMarker,
} from '@trpc/server';
import { type ChannelName, isChannelName } from '../../core/channel.ts';
import { realtime as defaultRealtime } from '../../server/default-realtime.ts';
import type { Realtime } from '../../server/realtime.ts';
import type { IssuedGrant } from '../../server/tokens.ts';
import { type ChannelDefinitions, connectionChannels } from './channel-delivery.ts';
import type { MaybePromise } from './middleware-types.ts';
import { DIRECT_REQUEST, requestOf } from './request.ts';

/** Nobody's page shows more; a client asks for what its tab shows. */
const MAX_CHANNELS_PER_QUESTION = 1000;

/** A procedure builder without input and output so far, such as `t.procedure` or one with the app's login middleware. */
export type PlainProcedureBuilder<Context, Meta, Overrides> = TRPCProcedureBuilder<
  Context,
  Meta,
  Overrides,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  false
>;

/** The context that a resolver of this builder gets. */
type ContextOf<Context, Meta, Overrides> = inferProcedureBuilderResolverOptions<
  PlainProcedureBuilder<Context, Meta, Overrides>
>['ctx'];

/** Who asks for tokens, and what they may read. */
export interface RealtimeRouterOptions<Context, Meta, Overrides> {
  /** What the two procedures are made of. */
  readonly procedure: PlainProcedureBuilder<Context, Meta, Overrides>;
  /** Who asks. Without a user the answer is UNAUTHORIZED, which clients take as final until the next login. */
  readonly userId: (options: { ctx: ContextOf<Context, Meta, Overrides> }) => string | null | undefined;
  /**
   * Whether the user may read a channel. Asked per channel, all at the same time. `false` is final for that subscription; throw where it cannot be known now.
   * For channels of the connection token it is not asked: those are never granted.
   */
  readonly canSubscribe: (options: {
    ctx: ContextOf<Context, Meta, Overrides>;
    channel: ChannelName;
    userId: string;
  }) => MaybePromise<boolean>;
  /** The channels of the connection token. @default global and the user's own */
  readonly connectionChannels?: (options: {
    ctx: ContextOf<Context, Meta, Overrides>;
    userId: string;
  }) => MaybePromise<readonly ChannelName[]>;
  /** The app's own channels, so that those which the connection token carries are known. `Channels` is. */
  readonly channels?: ChannelDefinitions;
  /** @default 86400 (24 hours) */
  readonly connectionTtlSeconds?: number;
  /** @default 600 (10 minutes) */
  readonly channelTtlSeconds?: number;
  /** @default the `realtime` of `@op/realtime/server` */
  readonly realtime?: Realtime;
}

/**
 * The two procedures that a client's configuration asks: `getToken` → `{ token }` and `getChannelTokens({ channels })` → grants, without those that are refused.
 *
 * ```ts
 * export const appRouter = t.router({
 *   realtime: realtimeRouter({
 *     procedure: authedProcedure,
 *     userId: ({ ctx }) => ctx.user.id,
 *     canSubscribe: ({ ctx, channel }) => mayRead(ctx.user, channel),
 *   }),
 * });
 * ```
 */
export function realtimeRouter<Context, Meta, Overrides>(options: RealtimeRouterOptions<Context, Meta, Overrides>) {
  const { procedure, canSubscribe, realtime = defaultRealtime } = options;
  const isOfConnection = connectionChannels(options.channels);

  function identify(ctx: ContextOf<Context, Meta, Overrides>): string {
    const request = requestOf(ctx);
    // An answer with a token belongs into no cache.
    if (request !== DIRECT_REQUEST) request.hasGrants = true;
    const userId = options.userId({ ctx });
    if (typeof userId === 'string' && userId !== '') return userId;
    throw new TRPCError({ code: 'UNAUTHORIZED', message: 'Log in to connect.' });
  }

  return {
    getToken: procedure.query(async ({ ctx }): Promise<{ token: string }> => {
      const userId = identify(ctx);
      const { connectionTtlSeconds: ttlSeconds } = options;
      const channels = await options.connectionChannels?.({ ctx, userId });
      const token = await realtime.createConnectionToken({
        userId,
        ...(channels && { channels }),
        ...(ttlSeconds !== undefined && { ttlSeconds }),
      });
      return { token };
    }),

    getChannelTokens: procedure.input(parseQuestion).query(async ({ ctx, input }): Promise<readonly IssuedGrant[]> => {
      const userId = identify(ctx);
      const { channelTtlSeconds: ttlSeconds } = options;
      const names = [...new Set(input.channels.filter(isChannelName))].filter((channel) => !isOfConnection(channel));
      const allowed = await Promise.all(names.map((channel) => canSubscribe({ ctx, channel, userId })));
      return realtime.createChannelTokens({
        userId,
        channels: names.filter((_, at) => allowed[at] === true),
        ...(ttlSeconds !== undefined && { ttlSeconds }),
      });
    }),
  };
}

function parseQuestion(value: unknown): { channels: readonly string[] } {
  const channels = typeof value === 'object' && value !== null && 'channels' in value ? value.channels : undefined;
  if (
    Array.isArray(channels) &&
    channels.length <= MAX_CHANNELS_PER_QUESTION &&
    channels.every((channel) => typeof channel === 'string')
  )
    return { channels };
  throw new TRPCError({
    code: 'BAD_REQUEST',
    message: `Expected { channels: string[] } with at most ${MAX_CHANNELS_PER_QUESTION} names.`,
  });
}
