import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it reached the fake API. */
export interface ApiRequest {
  /** `publish`, `batch` … */
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes
  readonly body: any;
  readonly key: string | undefined;
}

/** What the fake API does with a request. `cut` ends the connection in the middle of the answer, `hang` never answers. */
export type ApiAnswer =
  | { readonly status?: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | 'cut'
  | 'hang';

/** A server API whose answers a test decides; what it does not decide is answered as Centrifugo would. */
export class FakeApi {
  readonly requests: ApiRequest[] = [];
  /** Answers of the next requests, first in first out; `undefined` in the list lets one pass. */
  readonly script: (ApiAnswer | undefined)[] = [];
  /** Decides for every request that the script does not. */
  handler: (request: ApiRequest) => ApiAnswer | undefined | Promise<ApiAnswer | undefined> = () => undefined;
  /** Per channel: the `data` that was published, in order. */
  readonly published = new Map<string, unknown[]>();
  readonly #seenKeys = new Map<string, number>();
  #port = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    api.#port = (api.#server.address() as AddressInfo).port;
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get methods(): string[] {
    return this.requests.map((request) => request.method);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const received: ApiRequest = {
      method: (request.url ?? '').replace(/^\/api\//, ''),
      body: text === '' ? undefined : JSON.parse(text),
      key: request.headers['x-api-key'] as string | undefined,
    };
    this.requests.push(received);
    const answer = (this.script.shift() ?? (await this.handler(received))) || { body: this.#execute(received) };
    if (answer === 'hang') return;
    if (answer === 'cut') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"result":');
      response.socket?.destroySoon();
      return;
    }
    const { status = 200, body, headers = { 'content-type': 'application/json' } } = answer;
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  #execute({ method, body }: ApiRequest): unknown {
    if (method !== 'batch') return this.#command(method, body);
    const replies = body.commands.map((command: Record<string, unknown>) => {
      const [name, params] = Object.entries(command)[0] ?? ['', {}];
      const reply = this.#command(name, params as Record<string, unknown>) as { result?: unknown };
      return 'result' in reply ? { [name]: reply.result } : reply;
    });
    return { replies };
  }

  /** One command outside a batch, answered in Centrifugo's form. */
  #command(method: string, params: Record<string, unknown>): unknown {
    const { channel, channels, data, idempotency_key: key } = params;
    switch (method) {
      case 'publish':
        return { result: this.#publish(channel as string, data, key as string) };
      case 'broadcast': {
        const names = channels as string[];
        return { result: { responses: names.map((name) => ({ result: this.#publish(name, data, key as string) })) } };
      }
      case 'history':
        return {
          result: { publications: [], epoch: 'fake', offset: this.published.get(channel as string)?.length ?? 0 },
        };
      case 'unsubscribe':
      case 'disconnect':
        return { result: {} };
      default:
        return { error: { code: 108, message: 'not available' } };
    }
  }

  #publish(channel: string, data: unknown, key: string): { epoch: string; offset: number } {
    const list = this.published.get(channel) ?? [];
    const seen = this.#seenKeys.get(`${channel} ${key}`);
    if (seen !== undefined) return { epoch: 'fake', offset: seen };
    list.push(data);
    this.published.set(channel, list);
    this.#seenKeys.set(`${channel} ${key}`, list.length);
    return { epoch: 'fake', offset: list.length };
  }
}
