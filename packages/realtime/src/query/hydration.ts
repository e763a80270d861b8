import { type Answer, type Answers, sharedAnswers } from './answers.ts';
import { piecesOf } from './pieces.ts';

/** How data is written on its way, and what of its metadata. */
export interface CarrierOptions {
  /** Applied to the data itself, such as `superjson.serialize`. @default the data as it is */
  readonly serialize?: (data: unknown) => unknown;
  /** The reverse, such as `superjson.deserialize`. */
  readonly deserialize?: (data: unknown) => unknown;
  /**
   * Whether grants travel with the data. In a browser it is a persister that asks, and a token must not lie in its storage: a restored query asks
   * `getChannelTokens`, or is fetched.
   * @default only on a server
   */
  readonly grants?: boolean;
  /** Where the metadata of answers is, on this side. @default one per process; on a server that keeps data between requests, one per request */
  readonly answers?: Answers;
}

/** For `dehydrate` and `hydrate` of TanStack Query. */
export interface FreshnessCarrier {
  /** Writes data together with what is known about it. */
  readonly serializeData: (data: unknown) => unknown;
  /** Reads what `serializeData` wrote; anything else is plain data. */
  readonly deserializeData: (data: unknown) => unknown;
}

/** Data on its way from the server's cache to the browser's, with the metadata of its answer, or a list for its pieces. */
interface Carried {
  readonly rt: unknown;
  readonly v: unknown;
}

/**
 * Carries what is known about data from a server render to the browser, so that a query rendered on the server is bound and stamped like one that was fetched:
 *
 * ```ts
 * const freshness = carryFreshness({ serialize: superjson.serialize, deserialize: superjson.deserialize });
 * new QueryClient({
 *   defaultOptions: {
 *     dehydrate: { serializeData: freshness.serializeData },
 *     hydrate: { deserializeData: freshness.deserializeData },
 *   },
 * });
 * ```
 * Data that nothing is known about travels as it is. Both sides may import this file: it needs no browser.
 */
export function carryFreshness(options: CarrierOptions = {}): FreshnessCarrier {
  const { serialize = (data) => data, deserialize = (data) => data } = options;
  const hasGrants = () => options.grants ?? typeof window === 'undefined';
  const answersOf = () => options.answers ?? sharedAnswers();
  return {
    serializeData(data) {
      const v = serialize(data);
      const own = answersOf().get(data);
      const write = ({ wire }: Answer) => (hasGrants() ? wire : withoutGrants(wire));
      const rt = own ? write(own) : answersOf().of(data)?.map(write);
      return rt ? ({ rt, v } satisfies Carried) : v;
    },
    deserializeData(carried) {
      if (!isCarried(carried)) return deserialize(carried);
      const { rt, v } = carried;
      const data = deserialize(v);
      const pieces = Array.isArray(rt) ? piecesOf(data) : [data];
      // Answers of another request: they have their stamps, and no floor.
      for (const [at, wire] of (Array.isArray(rt) ? rt : [rt]).entries())
        answersOf().set(pieces[at], { wire, sentAt: null });
      return data;
    },
  };
}

/** `carryFreshness()` for data that needs no transformer. */
export const { serializeData, deserializeData } = /* @__PURE__ */ carryFreshness();

/** `grant` of each `watch` entry is a token; everything else may be seen by whoever sees the data. */
function withoutGrants(wire: unknown): unknown {
  const { watch, ...others } = wire as { watch?: unknown };
  if (!Array.isArray(watch)) return others;
  return { ...others, watch: watch.map((entry) => ({ ...entry, grant: undefined })) };
}

function isCarried(value: unknown): value is Carried {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'rt,v';
}
