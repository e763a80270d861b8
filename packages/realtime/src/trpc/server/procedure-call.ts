import type { ChannelName } from '../../core/channel.ts';
import type { Message } from '../../core/message.ts';
import { olderPosition, type Position } from '../../core/position.ts';
import type { RealtimeRequest } from './request.ts';

/** Where a call's collector travels through tRPC's context. */
export const CALL = Symbol('@op/realtime/call');

export interface Watched {
  readonly channel: ChannelName;
  readonly stamp: Position | null;
  /** For whom a grant may be issued; `null` for nobody. */
  readonly userId: string | null;
}

export interface Touched {
  readonly channel: ChannelName;
  readonly message: Message;
}

interface ProcedureCallOptions {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  readonly request: RealtimeRequest;
  /** Takes what is touched after the answer left (by a generator, or by work that nobody awaited). */
  readonly touchLate: (touched: readonly Touched[]) => void;
}

/**
 * Collects what the middlewares of one call have to say, also of calls that its resolver makes with the same context; the outermost middleware sends it.
 * What a middleware collects counts only if the part of the chain behind it succeeded.
 */
export class ProcedureCall {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  readonly request: RealtimeRequest;
  readonly #watched = new Map<ChannelName, Watched>();
  readonly #touched = new Map<string, Touched>();
  readonly #written = new Map<string, Touched>();
  readonly #touchLate: (touched: readonly Touched[]) => void;
  #isClosed = false;
  /** `false` where the data may be older than the moment of reading the stamps. */
  allowsStamps: boolean;
  /** Set where the data was not made for this request: the stamps of when it was. */
  #cachedStamps: ReadonlyMap<ChannelName, Position | null> | null = null;

  constructor({ path, signal, request, touchLate }: ProcedureCallOptions) {
    this.path = path;
    this.signal = signal;
    this.request = request;
    this.allowsStamps = request.allowsStamps;
    this.#touchLate = touchLate;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** `false` where the data was not made for this request. */
  get allowsFloor(): boolean {
    return this.#cachedStamps === null;
  }

  /** The data was read earlier, when the channels stood at these positions. Of two such calls only what both know counts. */
  useCachedData(stamps: ReadonlyMap<ChannelName, Position | null>): void {
    const known = this.#cachedStamps;
    this.#cachedStamps = known
      ? new Map(Array.from(stamps, ([channel, stamp]) => [channel, olderPosition(stamp, known.get(channel) ?? null)]))
      : stamps;
  }

  /** The stamp that an answer may carry. */
  stampOf({ channel, stamp }: Watched): Position | null {
    if (this.#cachedStamps) return this.#cachedStamps.get(channel) ?? null;
    return this.allowsStamps ? stamp : null;
  }

  /** A channel that is watched twice keeps the older stamp; none is older than any. */
  watch(watched: readonly Watched[]): void {
    for (const one of watched) {
      const known = this.#watched.get(one.channel);
      const stamp = known ? olderPosition(known.stamp, one.stamp) : one.stamp;
      this.#watched.set(one.channel, { ...one, stamp, userId: known?.userId ?? one.userId });
    }
  }

  /** The same message on the same channel is announced once. */
  touch(touched: readonly Touched[]): void {
    if (this.#isClosed) this.#touchLate(touched);
    else for (const one of touched) this.#touched.set(keyOf(one), one);
  }

  /** What was announced by writing it into a transaction: the answer tells, and nothing is to be published. */
  wrote(touched: readonly Touched[]): void {
    for (const one of touched) this.#written.set(keyOf(one), one);
  }

  /** Ends the collecting. */
  close(): {
    readonly watched: readonly Watched[];
    readonly touched: readonly Touched[];
    readonly written: readonly Touched[];
  } {
    this.#isClosed = true;
    const written = [...this.#written.values()];
    return { watched: [...this.#watched.values()], touched: [...this.#touched.values()], written };
  }
}

/** The same message on the same channel. */
export function keyOf({ channel, message }: Touched): string {
  return `${channel} ${JSON.stringify(message)}`;
}

/** The call that a context belongs to, while it collects. */
export function openCallOf(ctx: unknown): ProcedureCall | null {
  const call = typeof ctx === 'object' && ctx !== null ? (ctx as { [CALL]?: ProcedureCall })[CALL] : undefined;
  return call && !call.isClosed ? call : null;
}
