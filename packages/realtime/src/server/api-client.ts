import type { Clock } from '../core/clock.ts';
import { BrokerError, type RealtimeError } from '../core/errors.ts';
import { isRecord } from '../core/is-record.ts';
import type { Position } from '../core/position.ts';
import { delay, withDeadline } from './deadline.ts';
import { ApiTimeoutError, ApiUnauthorizedError, ApiUnavailableError } from './errors.ts';

/** Centrifugo's only error code that may pass by itself: internal error. */
const INTERNAL_ERROR = 100;

/** How long the one retry waits: enough for a broker that restarts behind a proxy to be replaced, far less than any time limit. */
export const RETRY_DELAY_MS = 50;

interface ApiClientOptions {
  /** From `parseApiAddress`. */
  readonly address: string;
  /** From `parseApiKey`. */
  readonly key: string;
  /** What the key is called where it is configured. */
  readonly keyName: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/** Calls of Centrifugo's HTTP server API. */
export interface ApiClient {
  /** One attempt. `body` is JSON text. Resolves with the parsed body, in which Centrifugo reports its errors with HTTP 200. */
  attempt(method: string, body: string, signal: AbortSignal): Promise<Record<string, unknown>>;
  /**
   * A call that may safely be made twice, with one retry, and the time limit for both together. Resolves with its `result`.
   * @throws ApiUnavailableError, ApiUnauthorizedError, ApiTimeoutError, BrokerError
   */
  call(method: string, params: unknown, timeoutMs: number): Promise<Record<string, unknown>>;
}

export function createApiClient({ address, key, keyName, fetch, clock }: ApiClientOptions): ApiClient {
  const headers = { 'content-type': 'application/json', 'x-api-key': key };

  async function attempt(method: string, body: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    let response: Response;
    let text: string;
    try {
      // A redirect would take the key to another address.
      response = await fetch(`${address}/${method}`, { method: 'POST', headers, body, signal, redirect: 'manual' });
      text = await response.text();
    } catch (error) {
      throw new ApiUnavailableError(`Centrifugo's server API cannot be reached${networkCode(error)}.`, null);
    }
    const { status } = response;
    if (status === 401 || status === 403) throw new ApiUnauthorizedError(keyName);
    if (status !== 200) throw new ApiUnavailableError(describeStatus(status), status);
    const parsed = parseJson(text);
    if (!isRecord(parsed)) throw unexpectedAnswer(method);
    return parsed;
  }

  async function callOnce(method: string, body: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const reply = await attempt(method, body, signal);
    const error = brokerErrorOf(reply);
    if (error) throw error;
    // `batch` answers without the `result` wrapper.
    const result = method === 'batch' ? reply : reply.result;
    if (!isRecord(result)) throw unexpectedAnswer(method);
    return result;
  }

  return {
    attempt,
    call(method, params, timeoutMs) {
      const body = JSON.stringify(params);
      return withDeadline(
        clock,
        timeoutMs,
        () => new ApiTimeoutError(method, timeoutMs),
        async (signal) => {
          try {
            return await callOnce(method, body, signal);
          } catch (error) {
            if (!isRetryable(error)) throw error;
            await delay(clock, RETRY_DELAY_MS, signal);
            if (signal.aborted) throw error;
            return await callOnce(method, body, signal);
          }
        },
      );
    },
  };
}

/** Whether asking once more may help: no complete answer, 5xx, or the broker's internal error. Everything else would answer the same again. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ApiUnavailableError) return error.status === null || error.status >= 500;
  return error instanceof BrokerError && error.brokerCode === INTERNAL_ERROR;
}

/** The error that a reply (also one inside a batch or broadcast) carries in its body. */
export function brokerErrorOf(reply: Record<string, unknown>): RealtimeError | null {
  if (!isRecord(reply.error)) return null;
  const { code, message } = reply.error;
  return new BrokerError(
    typeof code === 'number' ? code : INTERNAL_ERROR,
    typeof message === 'string' ? message : 'no message',
  );
}

/** The position in a `publish` or `history` result; `null` where the namespace keeps no history. */
export function positionOf(result: unknown): Position | null {
  if (!isRecord(result) || typeof result.epoch !== 'string' || result.epoch === '') return null;
  // Some encoders leave out zeros.
  const { epoch, offset = 0 } = result;
  return typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? { epoch, offset } : null;
}

export function unexpectedAnswer(method: string): ApiUnavailableError {
  return new ApiUnavailableError(
    `The answer to "${method}" is not that of Centrifugo's server API. Does the address lead to it?`,
    200,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // HTML, or an answer cut short: the caller names it.
    return undefined;
  }
}

function describeStatus(status: number): string {
  if (status === 404)
    return "The address answers 404: it is not that of Centrifugo's server API (which moves to the internal port when one is configured).";
  if (status === 0 || (status >= 300 && status < 400))
    return "The address of Centrifugo's server API redirects. Configure the address that it redirects to.";
  return `Centrifugo's server API answered HTTP ${status}.`;
}

/** `ECONNREFUSED` and its like, of Node's `fetch`. */
function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = isRecord(cause) ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? ` (${code})` : '';
}
