import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Clock } from '../core/clock.ts';

/** Connections to the application that are kept for the next call. */
const MAX_IDLE_CONNECTIONS = 255;

/** What came back: a body with status 200, another status, or nothing that can be used. */
export type CallOutcome = { readonly body: Buffer } | { readonly status: number } | 'failed';

/** What a call needs to know. */
export interface Call {
  readonly endpoint: string;
  /** Time for the whole answer. */
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/**
 * Calls the application by HTTP, on connections that are used again. No call is made twice: it may have done something.
 * `http.request` and not `fetch`, which refuses some headers and takes more than twice the time.
 */
export class ProxyCaller {
  readonly #clock: Clock;
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS });
  readonly #https = new HttpsAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a call. Never rejects. */
  call({ endpoint, timeoutMs, headers, body, signal }: Call): Promise<CallOutcome> {
    return new Promise((resolve) => {
      let cancelTimeout = () => {};
      const settle = (outcome: CallOutcome) => {
        cancelTimeout();
        resolve(outcome);
      };
      const onResponse = (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => settle('failed'));
        response.on('end', () => {
          const { statusCode: status = 0 } = response;
          settle(status === 200 ? { body: Buffer.concat(chunks) } : { status });
        });
      };
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': body.length },
        ...(signal && { signal }),
      };
      try {
        const request = endpoint.startsWith('https:')
          ? requestHttps(endpoint, { ...options, agent: this.#https }, onResponse)
          : requestHttp(endpoint, { ...options, agent: this.#http }, onResponse);
        request.on('error', () => settle('failed'));
        cancelTimeout = this.#clock.after(timeoutMs, () => {
          request.destroy();
          settle('failed');
        });
        request.end(body);
      } catch {
        // A header with characters that no header may have.
        settle('failed');
      }
    });
  }

  /** Ends all connections to the application; calls that are under way fail. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}
