import { ANNOUNCE_HEADER } from '../metadata.ts';
import { requestOf } from './request.ts';

/** The parts of tRPC's `responseMeta` options that are used. */
export interface ResponseMetaOptions {
  /** The context of the request, in which `realtimeContext` stands. */
  readonly ctx?: unknown;
  /** Set where the headers are made before the answers: they stream. */
  readonly eagerGeneration?: boolean;
}

/** What `responseMeta` returns. */
export interface ResponseMeta {
  /** The HTTP status, where the app sets one. */
  status?: number;
  /** More headers of the answer. */
  headers?: Headers | Record<string, string | string[]>;
}

/**
 * For the option `responseMeta` of tRPC's adapters, so that caches keep both forms of an answer apart, and no shared cache keeps a grant:
 *
 * ```ts
 * responseMeta: realtimeResponseMeta()
 * responseMeta: realtimeResponseMeta(({ errors }) => ({ headers: … }))   // with your own
 * ```
 * Adds the announcing header to `Vary`. Answers with grants become `cache-control: private, no-store`; of those that stream, all that could have one.
 */
export function realtimeResponseMeta<O extends ResponseMetaOptions>(
  own?: (options: O) => ResponseMeta,
): (options: O) => ResponseMeta {
  return (options) => {
    const meta = own?.(options) ?? {};
    const headers = toHeaders(meta.headers);
    headers.append('vary', ANNOUNCE_HEADER);
    const { isAnnounced, hasGrants } = requestOf(options.ctx);
    if (hasGrants || (isAnnounced && options.eagerGeneration)) headers.set('cache-control', 'private, no-store');
    return { ...meta, headers };
  };
}

function toHeaders(own: ResponseMeta['headers']): Headers {
  const headers = new Headers();
  const entries = own instanceof Headers ? [...own] : Object.entries(own ?? {});
  for (const [name, value] of entries) for (const one of [value].flat()) headers.append(name, one);
  return headers;
}
