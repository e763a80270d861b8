import type { ChannelName } from '../../core/channel.ts';
import type { Clock } from '../../core/clock.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Realtime } from '../../server/realtime.ts';
import { MAX_CHANNELS_PER_ANSWER, type WatchedChannel } from '../metadata.ts';
import { wrapAnswer } from './envelope.ts';
import type { FaultReporter } from './faults.ts';
import type { LostHistorySpread } from './lost-history-spread.ts';
import type { CallResult, MiddlewareOptions } from './middleware-types.ts';
import { CALL, openCallOf, ProcedureCall, type Touched, type Watched } from './procedure-call.ts';
import type { TouchPublisher } from './publisher.ts';
import { DIRECT_REQUEST, type RealtimeRequest, requestOf } from './request.ts';
import { NO_STAMPS, StampReader, type Stamps } from './stamp-reader.ts';

/** After the broker failed to tell positions, no query asks for this long: a broker that is down must not slow every query. */
const STAMP_PAUSE_MS = 1000;

interface CallRunnerOptions {
  readonly realtime: Pick<Realtime, 'positions' | 'createChannelToken'>;
  readonly publisher: TouchPublisher;
  readonly faults: FaultReporter;
  readonly clock: Clock;
  readonly userId: (ctx: unknown) => string | null | undefined;
  readonly isOfConnection: (channel: ChannelName) => boolean;
  readonly grantTtlSeconds: number;
  readonly stampTimeoutMs: number;
  readonly lostHistory: LostHistorySpread;
}

/** Runs the rest of a chain, with more in its context. */
type Next = (added?: object) => Promise<CallResult>;

/**
 * Runs our middlewares as parts of one call: the outermost makes the collector, and in the end announces what was touched and puts the metadata around the answer;
 * those behind it only collect. So they may stand in any order, and several times.
 */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #readers = new WeakMap<RealtimeRequest, StampReader>();
  #stampsPausedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: CallRunnerOptions) {
    this.#options = options;
  }

  /** Runs one middleware. `part` gets the call's collector, and must hand on what `next` gives. */
  async run<C, I>(
    options: MiddlewareOptions<C, I>,
    part: (call: ProcedureCall, next: Next) => Promise<CallResult>,
  ): Promise<CallResult> {
    const { ctx, type, path, signal, next } = options;
    if (type === 'subscription') return next();
    const outer = openCallOf(ctx);
    if (outer) return part(outer, (added) => (added ? next({ ctx: added }) : next()));
    const found = requestOf(ctx);
    // Whoever calls from the server itself gets plain data.
    const isRequested = found.transport === 'local' || found.calls.claim(path, signal);
    const request = isRequested ? found : DIRECT_REQUEST;
    const call = new ProcedureCall({
      path,
      signal,
      request,
      touchLate: (touched) => this.touchLate(touched, path, request),
    });
    const result = await part(call, (added) => next({ ctx: { ...added, [CALL]: call } }));
    return this.#finish(call, result);
  }

  /** Runs the chain behind a `watches`: with the stamps read before, and the channels collected if it succeeds. */
  async watch<C, I>(
    call: ProcedureCall,
    { ctx, path, signal }: MiddlewareOptions<C, I>,
    channels: readonly ChannelName[],
    next: Next,
  ): Promise<CallResult> {
    const reader = this.#readerOf(call.request);
    // A call that a resolver makes runs after that resolver started.
    const isNested = path !== call.path || signal !== call.signal;
    const stamps = isNested || !call.allowsStamps ? NO_STAMPS : await reader.stamps(call, channels);
    reader.starts(call);
    const result = await next();
    if (result.ok) this.collect(call, ctx, channels, stamps);
    return result;
  }

  /** Adds channels to a call that has succeeded so far. */
  collect(call: ProcedureCall, ctx: unknown, channels: readonly ChannelName[], stamps: Stamps = NO_STAMPS): void {
    const userId = this.#userOf(call, ctx);
    call.watch(channels.map((channel) => ({ channel, stamp: stamps.get(channel) ?? null, userId })));
  }

  /** Before a call that watches nothing: where it shares a request with one that does, it waits until the positions are read. */
  async barrier(call: ProcedureCall): Promise<void> {
    const { calls, isAnnounced } = call.request;
    if (!isAnnounced || !calls.waitsForOthers(call.path)) return;
    const reader = this.#readerOf(call.request);
    await reader.barrier();
    reader.starts(call);
  }

  /** Announces what was touched when its call had been answered already, or without a call. */
  touchLate(touched: readonly Touched[], path: string, request?: RealtimeRequest): void {
    if (touched.length > 0) void this.#options.publisher.publish(touched, path, request?.waitUntil);
  }

  async #finish(call: ProcedureCall, result: CallResult): Promise<CallResult> {
    const { watched, touched, written } = call.close();
    const { request, path } = call;
    if (!result.ok) return result;
    const { publisher, faults } = this.#options;
    const published = touched.length > 0 ? await publisher.publish(touched, path, request.waitUntil) : [];
    if (!request.isAnnounced) return result;
    // Where a transaction's announcement will stand in its stream is known to nobody yet.
    const announced = [...published, ...written.map((one) => ({ ...one, position: null }))].slice(
      0,
      MAX_CHANNELS_PER_ANSWER,
    );
    const isBound = watched.length <= MAX_CHANNELS_PER_ANSWER;
    if (!isBound) {
      const limit = `An answer can depend on at most ${MAX_CHANNELS_PER_ANSWER} channels, got ${watched.length}.`;
      faults.report('watches', path, new InvalidArgumentError(limit));
    }
    const channels = isBound ? await this.#toWatchedChannels(call, watched) : [];
    if (channels.length === 0 && announced.length === 0) return result;
    const requestId = call.allowsFloor ? request.requestId : null;
    const lostHistorySpreadMs = channels.length > 0 ? this.#options.lostHistory.now() : 0;
    const meta = { requestId, channels, touched: announced, lostHistorySpreadMs };
    return { ...result, data: wrapAnswer(meta, result.data, request) };
  }

  #toWatchedChannels(call: ProcedureCall, watched: readonly Watched[]): Promise<WatchedChannel[]> {
    return Promise.all(
      watched.map(async (one) => ({
        channel: one.channel,
        stamp: call.stampOf(one),
        grant: await this.#grant(call, one),
      })),
    );
  }

  async #grant(call: ProcedureCall, { channel, userId }: Watched): Promise<string | null> {
    if (userId === null || this.#options.isOfConnection(channel)) return null;
    const { realtime, grantTtlSeconds, faults } = this.#options;
    try {
      const token = await realtime.createChannelToken({ userId, channel, ttlSeconds: grantTtlSeconds });
      call.request.hasGrants = true;
      return token;
    } catch (error) {
      faults.report('grants', call.path, error);
      return null;
    }
  }

  #userOf(call: ProcedureCall, ctx: unknown): string | null {
    try {
      return this.#options.userId(ctx) ?? call.request.userId ?? null;
    } catch (error) {
      this.#options.faults.report('grants', call.path, error);
      return null;
    }
  }

  #readerOf(request: RealtimeRequest): StampReader {
    const known = this.#readers.get(request);
    if (known) return known;
    const reader = new StampReader(
      (names) => this.#readPositions(names),
      this.#options.clock,
      request.transport === 'http',
    );
    this.#readers.set(request, reader);
    return reader;
  }

  async #readPositions(channels: readonly ChannelName[]): Promise<Stamps> {
    const { realtime, clock, faults, stampTimeoutMs } = this.#options;
    if (clock.now() < this.#stampsPausedUntil) return NO_STAMPS;
    try {
      return await realtime.positions(channels, { timeoutMs: stampTimeoutMs });
    } catch (error) {
      this.#stampsPausedUntil = clock.now() + STAMP_PAUSE_MS;
      faults.report('stamps', null, error);
      return NO_STAMPS;
    }
  }
}
