import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/** A request that Centrifugo sent to the application behind its proxies. */
export interface AppRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** What the application answers: a JSON value, or a status with a text; nothing at all where `hang` is set. */
export type AppAnswer =
  | { readonly json: unknown }
  | { readonly status: number; readonly text: string }
  | { readonly hang: true };

type Handler = (request: AppRequest) => AppAnswer;

/** The application behind the proxies of all scenarios of a run. A request belongs to the scenario whose unique name stands in it. */
export class App {
  readonly url: string;
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #fixed = new Map<string, unknown>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(): Promise<App> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as { port: number };
    const app = new App(server, `http://127.0.0.1:${address.port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '/';
        const text = Buffer.concat(chunks).toString();
        const fixed = app.#fixed.get(path);
        const handler = [...app.#handlers].find(([unique]) => path.includes(unique) || text.includes(unique))?.[1];
        const answer: AppAnswer = fixed
          ? { json: fixed }
          : (handler?.({
              path,
              headers: request.headers,
              body: JSON.parse(text || '{}') as Record<string, unknown>,
            }) ?? {
              status: 404,
              text: 'no scenario waits for this',
            });
        if ('hang' in answer) return;
        if ('json' in answer) response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer.json));
        else response.writeHead(answer.status).end(answer.text);
      });
    });
    return app;
  }

  /** Lets a scenario answer its requests. */
  handle(unique: string, handler: Handler): void {
    this.#handlers.set(unique, handler);
  }

  forget(unique: string): void {
    this.#handlers.delete(unique);
  }

  /** Answers every GET of this path with the same JSON. */
  serve(path: string, json: unknown): void {
    this.#fixed.set(path, json);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
