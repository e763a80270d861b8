import type { ChannelName } from '../../core/channel.ts';
import type { Position } from '../../core/position.ts';
import { openCallOf } from './procedure-call.ts';

/**
 * Call it in a resolver whose data is in part older than the stamps, though made for this request: it uses what `createContext` loaded, or a cache of the request.
 * The answer then carries no stamps; the client still knows that it is newer than its own request. Freshness rule A2 (docs/freshness.md).
 */
export function noStamp(ctx: unknown): void {
  const call = openCallOf(ctx);
  if (call) call.allowsStamps = false;
}

/**
 * Call it in a resolver whose data comes from a cache that outlives the request, or from a replica that may lag behind what was announced. The answer then proves
 * nothing by itself. Freshness rules A3 and A7.
 *
 * @param stamps the positions that `realtime.positions(channels)` gave *before* the cached data was read, kept beside it; leave them out where they are unknown
 */
export function fromCache(ctx: unknown, stamps?: ReadonlyMap<ChannelName, Position | null>): void {
  openCallOf(ctx)?.useCachedData(stamps ?? new Map());
}
