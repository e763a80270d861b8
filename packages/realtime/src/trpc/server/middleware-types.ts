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
  readonly ctx: C;
  readonly input: I;
  readonly type: TRPCProcedureType;
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  readonly next: {
    (): Promise<CallResult>;
    (options: { ctx: object }): Promise<CallResult>;
  };
}

/** A middleware for `.use(…)`. `_type` is how tRPC marks its own, and how `assertRealtimeRouter` finds ours. */
export interface RealtimeMiddleware<C, I, Added extends object = object> {
  (options: MiddlewareOptions<C, I>): MiddlewareResult<Added>;
  _type?: string;
}

export type MaybePromise<T> = T | Promise<T>;
