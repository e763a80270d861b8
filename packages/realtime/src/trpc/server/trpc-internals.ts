/**
 * What we know of tRPC beyond its documentation, each with the test that runs it against the real library:
 * - a procedure has the list of its middlewares, in the order in which they run, and tRPC marks its own with `_type`: `assert-realtime-router.test.ts`
 * - the request info has the paths and procedures of a batch: `stamps.test.ts`
 * - every call over a link comes with a signal; a server-side call has the one it is given, or none: `callers.test.ts`
 * - promises and iterables are sent one level deep, over JSON lines only: `transports.test.ts`
 */

/** Marks our middlewares. */
export const REALTIME_TYPE = 'op-realtime';
/** Marks those that read stamps. */
export const WATCHES_TYPE = 'op-realtime-watches';
/** tRPC's mark for the validator of `.output()`. */
const OUTPUT_TYPE = 'output';

/** A call as the request info lists it. */
export interface RequestedCall {
  readonly path?: string;
  readonly procedure?: unknown;
}

/** Whether the procedure reads stamps. */
function isWatching(call: RequestedCall | undefined): boolean {
  return middlewareTypes(call?.procedure).includes(WATCHES_TYPE);
}

/** Whether a validator stands before the first of our middlewares, where it would see the metadata. */
export function isOutputFirst(procedure: unknown): boolean {
  const types = middlewareTypes(procedure);
  const ours = types.findIndex((type) => type === REALTIME_TYPE || type === WATCHES_TYPE);
  return ours >= 0 && types.slice(0, ours).includes(OUTPUT_TYPE);
}

function middlewareTypes(procedure: unknown): (string | undefined)[] {
  const { _def } = (procedure ?? {}) as { _def?: { middlewares?: readonly { _type?: string }[] } };
  return (_def?.middlewares ?? []).map(({ _type }) => _type);
}

/** Tells the calls of a request from those that server-side code makes with the same context; only the former can be sent metadata. */
export class RequestedCalls {
  readonly #calls: readonly RequestedCall[] | null;
  /** How many calls of a path are still to come. */
  readonly #expected = new Map<string, number>();

  /** @param calls `null` where the request's calls are not known */
  constructor(calls: readonly RequestedCall[] | null) {
    this.#calls = calls;
    for (const { path = '' } of calls ?? []) this.#expected.set(path, (this.#expected.get(path) ?? 0) + 1);
  }

  /** Whether this is a call of the request itself. Each is claimed once, by its outermost middleware. */
  claim(path: string, signal: AbortSignal | undefined): boolean {
    if (signal === undefined) return false;
    if (this.#calls === null) return true;
    const expected = this.#expected.get(path) ?? 0;
    this.#expected.set(path, expected - 1);
    return expected > 0;
  }

  /** Whether a call watches nothing, while another one of its request does. */
  waitsForOthers(path: string): boolean {
    if (this.#calls === null) return false;
    return this.#calls.some(isWatching) && !isWatching(this.#calls.find((call) => call.path === path));
  }
}
