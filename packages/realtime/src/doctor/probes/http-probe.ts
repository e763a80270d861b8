import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../../core/clock.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** What became of a request. */
export type HttpAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** `code` such as `ECONNREFUSED`, or empty. */
  | { readonly kind: 'unreachable'; readonly code: string }
  /** Nothing, or not enough, within the time limit. `status` where the head of the answer came. */
  | { readonly kind: 'timeout'; readonly status: number | null };

export interface HttpQuestion {
  readonly url: URL;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Take the answer as soon as its body contains this, for streams that do not end. */
  readonly until?: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly lookup?: LookupFunction | undefined;
}

/** One request; follows no redirect and never rejects. `node:http` and not `fetch`: a stream's first bytes count, and the name may be resolved by the caller. */
export function ask(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, method = 'GET', headers, body, until, timeoutMs, clock, lookup } = question;
  return new Promise((resolve) => {
    let status: number | null = null;
    let text = '';
    const options: RequestOptions = {
      method,
      agent: false,
      headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
      ...(lookup && { lookup }),
    };
    const settle = (answer: HttpAnswer) => {
      cancel();
      resolve(answer);
      call.destroy();
    };
    const answered = () => settle({ kind: 'answer', status: status ?? 0, body: text });
    const cancel = clock.after(timeoutMs, () => settle({ kind: 'timeout', status }));
    const call = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BODY_BYTES || (until !== undefined && text.includes(until))) answered();
      });
      response.on('end', answered);
      response.on('error', (error) => settle({ kind: 'unreachable', code: networkCode(error) }));
    });
    call.on('error', (error) => settle({ kind: 'unreachable', code: networkCode(error) }));
    call.end(body);
  });
}

/** `ECONNREFUSED` and its like: codes in capitals, since an error's text may carry the address. */
export function networkCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : '';
}
