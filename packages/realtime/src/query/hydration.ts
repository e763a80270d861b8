import { type Answers, sharedAnswers } from './answers.ts';
import { piecesOf } from './pieces.ts';

export interface CarrierOptions {
  /** Applied to the data itself, such as `superjson.serialize`. @default the data as it is */
  readonly serialize?: (data: unknown) => unknown;
  /** The reverse, such as `superjson.deserialize`. */
  readonly deserialize?: (data: unknown) => unknown;
  /** Where the metadata of answers is, on this side. @default one per process; on a server that keeps data between requests, one per request */
  readonly answers?: Answers;
}

/** For `dehydrate` and `hydrate` of TanStack Query. */
export interface FreshnessCarrier {
  readonly serializeData: (data: unknown) => unknown;
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
  const answersOf = () => options.answers ?? sharedAnswers();
  return {
    serializeData(data) {
      const v = serialize(data);
      const own = answersOf().get(data);
      const rt = own
        ? own.wire
        : answersOf()
            .of(data)
            ?.map(({ wire }) => wire);
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

function isCarried(value: unknown): value is Carried {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'rt,v';
}
