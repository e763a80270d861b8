import type { TRPCMiddlewareFunction, TRPCProcedureType, TRPCUnsetMarker } from '@trpc/server';

/** The result of a middleware that adds `Added` to the context. Independent of the other type parameters. */
export type MiddlewareResult<Added extends object> = ReturnType<
  TRPCMiddlewareFunction<object, object, object, Added, unknown>
>;

/** What `next()` gives, and a middleware hands on. */
export type CallResult = Awaited<MiddlewareResult<object>>;

/** The input as a middleware sees it: nothing, where no `.input()` came before. */
export type InputOf<I> = I extends TRPCUnsetMarker ? undefined : I;

/** The part of tRPC's middleware options that we use; a structural type, so that context and input are inferred as for any `.use(…)`. */
export interface MiddlewareOptions<C, I> {
  /** The context so far. */
  readonly ctx: C;
  /** The input as far as it is parsed. */
  readonly input: I;
  /** `query`, `mutation` or `subscription`. */
  readonly type: TRPCProcedureType;
  /** The procedure, like `post.list`. */
  readonly path: string;
  /** Aborted when the caller has gone; `undefined` for calls from the server itself. */
  readonly signal: AbortSignal | undefined;
  /** Runs the rest of the chain, with more in the context where that is given. */
  readonly next: {
    (): Promise<CallResult>;
    (options: { ctx: object }): Promise<CallResult>;
  };
}

/** A middleware for `.use(…)`. `_type` is how tRPC marks its own, and how `assertRealtimeRouter` finds ours. */
export interface RealtimeMiddleware<C, I, Added extends object = object> {
  (options: MiddlewareOptions<C, I>): MiddlewareResult<Added>;
  /** The mark. Nothing to set by hand. */
  _type?: string;
}

export type MaybePromise<T> = T | Promise<T>;
