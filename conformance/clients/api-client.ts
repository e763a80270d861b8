import { SECRETS } from '../environments.ts';
import type { Message } from './wire-client.ts';

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly body: Message;
}

export interface ApiOptions {
  /** @default POST */
  readonly method?: string;
  /** Instead of the key in `X-API-Key`. */
  readonly headers?: Record<string, string>;
  /** Sent as it is, instead of the parameters as JSON. */
  readonly raw?: string;
}

/** One bare call of the server API. */
export async function callApi(
  node: string,
  path: string,
  parameters: unknown,
  options: ApiOptions = {},
): Promise<ApiResponse> {
  const method = options.method ?? 'POST';
  const response = await fetch(`${node}/api${path === '' ? '' : `/${path}`}`, {
    method,
    headers: options.headers ?? { 'X-API-Key': SECRETS.api, 'Content-Type': 'application/json' },
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: options.raw ?? JSON.stringify(parameters) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = {}; // plain text: the scenario reads `text`
  }
  return { status: response.status, headers: response.headers, text, body: body as Message };
}
