import type { ChannelName } from '../../core/channel.ts';
import type { Clock } from '../../core/clock.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { publishAllInTransaction } from '../../outbox/publish-in-transaction.ts';
import type { OutboxTarget } from '../../outbox/target.ts';
import { callClock } from '../../server/deadline.ts';
import { realtime as defaultRealtime } from '../../server/default-realtime.ts';
import type { Realtime } from '../../server/realtime.ts';
import {
  DEFAULT_SCOPE,
  type ScopeSpread,
  type SpreadOptions,
  type SpreadPolicy,
  spreadBySubscribers,
} from '../../server/spread.ts';
import { CHANNEL_TTL_SECONDS } from '../../server/tokens.ts';
import { CallRunner } from './call-runner.ts';
import { type ChannelDefinitions, connectionChannels } from './channel-delivery.ts';
import { parseChannels, parseTouches, type Touches, type WatchedChannels } from './declarations.ts';
import { type FaultKind, FaultReporter, type RealtimeFault } from './faults.ts';
import { LostHistorySpread } from './lost-history-spread.ts';
import type {
  InputOf,
  MaybePromise,
  MiddlewareOptions,
  MiddlewareResult,
  RealtimeMiddleware,
} from './middleware-types.ts';
import { keyOf, openCallOf, type Touched as Touch } from './procedure-call.ts';
import { TouchPublisher } from './publisher.ts';
import { REALTIME_TYPE, WATCHES_TYPE } from './trpc-internals.ts';

/** What the middlewares work with. All have defaults. */
export interface InitRealtimeOptions<Context = object> {
  /** @default the `realtime` of `@op/realtime/server` */
  readonly realtime?: Realtime;
  /** The user for whom grants are issued, from the context that the middleware sees. @default what `realtimeContext` was given */
  readonly userId?: (ctx: Context) => string | null | undefined;
  /** The app's own channels, so that those which the connection token carries get no grant. `Channels` is known. */
  readonly channels?: ChannelDefinitions;
  /** How long a grant in an answer lasts. @default 600 (10 minutes) */
  readonly grantTtlSeconds?: number;
  /** How long a query waits for its stamps at most. @default 100 */
  readonly stampTimeoutMs?: number;
  /** How long a mutation waits for the positions of what it announced at most. @default 250 */
  readonly positionWaitMs?: number;
  /** How refetches are spread that mutations cause. @default as `realtime` does for everything that it publishes */
  readonly spread?: SpreadOptions | SpreadPolicy | false;
  /**
   * How refetches are spread when the broker restarts and has lost its history, which strikes all tabs at once: by the number of connections, told with each
   * answer. `false`: not. @default 1 ms per connection, at most 10 s, nothing below 100 ms
   */
  readonly lostHistorySpread?: ScopeSpread | false;
  /** Where `touches({ transaction })` writes: `relayTable`, `centrifugoConsumer` or `centrifugoStream` of `@op/realtime/outbox`. @default relayTable() */
  readonly outbox?: OutboxTarget;
  /** Told of what went wrong beside a call that was answered all the same. @default printed */
  readonly onFault?: (fault: RealtimeFault) => void;
  /** @default the machine's */
  readonly clock?: Clock;
}

/** What `.use(touches())` adds to the context. */
export interface TouchContext {
  /**
   * Announces when the mutation has succeeded.
   * @throws InvalidChannelError, InvalidMessageError, InvalidArgumentError
   */
  readonly touch: (touches: Touches) => void;
}

/** Where a mutation's announcements are written. */
export interface TransactionOptions<C, I> {
  /**
   * The open transaction, from the context that a middleware before this one put it into: of pg, Drizzle, Prisma, Kysely, PGlite or postgres.js, or `{ runSql }`.
   * That middleware must roll back where `next()` gives a result that is not `ok`; tRPC does not throw there.
   */
  readonly transaction: (options: { ctx: C; input: InputOf<I> }) => object;
}

/** What a resolver is called with, as far as we use it. */
export interface ResolverOptions {
  /** The context as the middlewares left it. */
  readonly ctx: unknown;
  /** The input as `.input()` parsed it. */
  readonly input: unknown;
}

/** The middlewares of one configuration. */
export interface RealtimeProcedures {
  /**
   * For the base procedure, before everything else: `t.procedure.use(base)`. Then the order of `.output()` and of other middlewares does not matter, announcements
   * come after a transaction that a later middleware holds open, and calls of a batch that watch nothing wait for the stamps of those that do.
   */
  readonly base: RealtimeMiddleware<object, unknown>;
  /** Declares what a query depends on. A query that fails is bound to nothing and grants nothing. */
  watches<C, I>(
    channels: (options: { ctx: C; input: InputOf<I> }) => MaybePromise<WatchedChannels>,
  ): RealtimeMiddleware<C, I>;
  /**
   * For channels that are known only from a query's result: `.query(watching(resolver, ({ data }) => channels))`. Needs `base` on the procedure.
   * Such an answer has no stamp: the first join costs a refetch.
   */
  watching<O extends ResolverOptions, D>(
    resolver: (options: O) => MaybePromise<D>,
    channels: (options: { ctx: O['ctx']; input: O['input']; data: D }) => MaybePromise<WatchedChannels>,
  ): (options: O) => Promise<D>;
  /** Declares what a mutation touches. `data` is unknown here: for channels from the result take `touching`, or `touches()` and `ctx.touch`. */
  touches<C, I>(
    touched: (options: { ctx: C; input: InputOf<I>; data: unknown }) => MaybePromise<Touches>,
  ): RealtimeMiddleware<C, I>;
  /** The same, written into the transaction instead of published: it is announced if, and only if, the transaction commits. What cannot be written fails the mutation. */
  touches<C, I>(
    touched: (options: { ctx: C; input: InputOf<I>; data: unknown }) => MaybePromise<Touches>,
    options: TransactionOptions<C, I>,
  ): RealtimeMiddleware<C, I>;
  /** Adds `ctx.touch` for the resolver; what it touches is written into the transaction when the resolver has succeeded. */
  touches<C, I>(options: TransactionOptions<C, I>): RealtimeMiddleware<C, I, TouchContext>;
  /** Adds `ctx.touch` for the resolver. */
  touches(): RealtimeMiddleware<object, unknown, TouchContext>;
  /** For channels that are known only from a mutation's result: `.mutation(touching(resolver, ({ data }) => channels))`. Needs `base` on the procedure. */
  touching<O extends ResolverOptions, D>(
    resolver: (options: O) => MaybePromise<D>,
    touched: (options: { ctx: O['ctx']; input: O['input']; data: D }) => MaybePromise<Touches>,
  ): (options: O) => Promise<D>;
  /** How often what went wrong, since the start. */
  readonly faultCounts: Readonly<Record<FaultKind, number>>;
}

/**
 * Makes the middlewares.
 *
 * ```ts
 * const { base, watches, touches } = initRealtime({ userId: (ctx: Context) => ctx.user?.id });
 * const procedure = t.procedure.use(base);
 *
 * list: procedure.input(…).use(watches(({ input }) => Channels.org(input.orgId))).query(…)
 * create: procedure.input(…).use(touches(({ input }) => Channels.org(input.orgId))).mutation(…)
 * ```
 */
export function initRealtime<Context = object>(options: InitRealtimeOptions<Context> = {}): RealtimeProcedures {
  const { realtime = defaultRealtime, clock = callClock, positionWaitMs = 250, onFault, userId } = options;
  const faults = new FaultReporter(onFault, clock);
  const spread = policyOf(options.spread, realtime, clock);
  const runner = new CallRunner({
    realtime,
    clock,
    faults,
    publisher: new TouchPublisher({ realtime, positionWaitMs, spread, faults, clock }),
    userId: (ctx) => userId?.(ctx as Context),
    isOfConnection: connectionChannels(options.channels),
    grantTtlSeconds: options.grantTtlSeconds ?? CHANNEL_TTL_SECONDS,
    stampTimeoutMs: options.stampTimeoutMs ?? 100,
    lostHistory: new LostHistorySpread(realtime, clock, options.lostHistorySpread ?? DEFAULT_SCOPE),
  });

  /** What the app's function declares; `null` where it throws, which is reported and costs the call nothing. */
  async function declared<T>(kind: FaultKind, path: string, declare: () => MaybePromise<T>): Promise<T | null> {
    try {
      return await declare();
    } catch (error) {
      faults.report(kind, path, error);
      return null;
    }
  }

  const base = marked(REALTIME_TYPE, (opts: MiddlewareOptions<object, unknown>) =>
    runner.run(opts, async (call, next) => {
      await runner.barrier(call);
      return next();
    }),
  );

  function watches<C, I>(
    channels: (options: { ctx: C; input: InputOf<I> }) => MaybePromise<WatchedChannels>,
  ): RealtimeMiddleware<C, I> {
    return marked(WATCHES_TYPE, (opts: MiddlewareOptions<C, I>) =>
      runner.run(opts, async (call, next) => {
        if (!call.request.isAnnounced || opts.type !== 'query') return next();
        const { ctx, input } = opts;
        const names = await declared('watches', opts.path, async () =>
          parseChannels(await channels({ ctx, input: input as InputOf<I> })),
        );
        return names ? runner.watch(call, opts, names, next) : next();
      }),
    );
  }

  function watching<O extends ResolverOptions, D>(
    resolver: (options: O) => MaybePromise<D>,
    channels: (options: { ctx: O['ctx']; input: O['input']; data: D }) => MaybePromise<WatchedChannels>,
  ): (options: O) => Promise<D> {
    return async (opts) => {
      const data = await resolver(opts);
      const { ctx, input } = opts;
      const call = openCallOf(ctx);
      if (!call?.request.isAnnounced) return data;
      const names = await declared('watches', call.path, async () =>
        parseChannels(await channels({ ctx, input, data })),
      );
      if (names) runner.collect(call, ctx, names);
      return data;
    };
  }

  type Touched<C, I> = (options: { ctx: C; input: InputOf<I>; data: unknown }) => MaybePromise<Touches>;

  function touches<C, I>(
    first?: Touched<C, I> | TransactionOptions<C, I>,
    second?: TransactionOptions<C, I>,
  ): RealtimeMiddleware<C, I, TouchContext> {
    const touched = typeof first === 'function' ? first : undefined;
    const { transaction } = (typeof first === 'function' ? second : first) ?? {};
    return marked(REALTIME_TYPE, transaction ? touchesWithin(touched, transaction) : touchesAfterwards(touched));
  }

  function touchesAfterwards<C, I>(touched: Touched<C, I> | undefined) {
    return (opts: MiddlewareOptions<C, I>) => {
      const { ctx, input, path, type } = opts;
      // A subscription has no end to wait for: what it touches is announced at once.
      if (type === 'subscription' && !touched)
        return opts.next({ ctx: { touch: (now: Touches) => runner.touchLate(parseTouches(now), path) } });
      return runner.run(opts, async (call, next) => {
        if (!touched) return next({ touch: (late: Touches) => call.touch(parseTouches(late)) });
        const result = await next();
        if (!result.ok) return result;
        const parsed = await declared('touches', path, async () =>
          parseTouches(await touched({ ctx, input: input as InputOf<I>, data: result.data })),
        );
        call.touch(parsed ?? []);
        return result;
      });
    };
  }

  /** What fails here rejects, and so takes the transaction along: an announcement that is lost is what it is there to prevent. */
  function touchesWithin<C, I>(
    touched: Touched<C, I> | undefined,
    transaction: TransactionOptions<C, I>['transaction'],
  ) {
    return (opts: MiddlewareOptions<C, I>) => {
      const { ctx, path, type } = opts;
      const input = opts.input as InputOf<I>;
      if (type === 'subscription')
        throw new InvalidArgumentError(
          `${path} is a subscription, which has no transaction: touches({ transaction }) is for mutations.`,
        );
      return runner.run(opts, async (call, next) => {
        const collected = new Map<string, Touch>();
        let isOver = false;
        const touch = (touches: Touches) => {
          if (isOver)
            throw new InvalidArgumentError(
              `${path} called ctx.touch after its resolver had ended: the transaction is over.`,
            );
          for (const one of parseTouches(touches)) collected.set(keyOf(one), one);
        };
        const result = await (touched ? next() : next({ touch }));
        if (result.ok && touched) touch(await touched({ ctx, input, data: result.data }));
        isOver = true;
        if (!result.ok || collected.size === 0) return result;
        const written = [...collected.values()];
        await publishAllInTransaction(
          transaction({ ctx, input }),
          written,
          options.outbox && { target: options.outbox },
        );
        call.wrote(written);
        return result;
      });
    };
  }

  function touching<O extends ResolverOptions, D>(
    resolver: (options: O) => MaybePromise<D>,
    touched: (options: { ctx: O['ctx']; input: O['input']; data: D }) => MaybePromise<Touches>,
  ): (options: O) => Promise<D> {
    return async (opts) => {
      const data = await resolver(opts);
      const { ctx, input } = opts;
      const call = openCallOf(ctx);
      const path = call?.path ?? 'a procedure without base';
      const parsed = await declared('touches', path, async () => parseTouches(await touched({ ctx, input, data })));
      if (call) call.touch(parsed ?? []);
      else runner.touchLate(parsed ?? [], path);
      return data;
    };
  }

  return { base, watches, watching, touches, touching, faultCounts: faults.counts };
}

/** `null`: the instance decides. */
function policyOf(spread: InitRealtimeOptions['spread'], realtime: Realtime, clock: Clock): SpreadPolicy | null {
  if (spread === undefined) return null;
  if (typeof spread === 'function') return spread;
  if (spread === false) return () => 0;
  const counts = {
    connections: () => realtime.connectionCount(),
    subscribers: (channel: ChannelName) => realtime.subscriberCount(channel),
  };
  return spreadBySubscribers(counts, clock, spread);
}

/** `_type` is how tRPC marks its own middlewares. The result's type says what is added to the context, which TypeScript cannot see. */
function marked<C, I, Added extends object>(
  type: string,
  middleware: (options: MiddlewareOptions<C, I>) => Promise<unknown>,
): RealtimeMiddleware<C, I, Added> {
  return Object.assign(middleware as (options: MiddlewareOptions<C, I>) => MiddlewareResult<Added>, { _type: type });
}
