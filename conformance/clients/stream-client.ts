import { type Message, WireClient } from './wire-client.ts';

export type StreamTransport = 'http_stream' | 'sse';

/**
 * A connection over HTTP streaming or server-sent events: the answers come in one endless response, the first commands travel with its request, later ones by
 * POST to `/emulation`. A disconnect arrives as a push, which is told as the close.
 */
export class StreamClient extends WireClient {
  readonly node: string;
  readonly transport: StreamTransport;
  /** The response that carries the answers, once there. */
  response: Response | undefined;
  /** What the connect reply says for use with `/emulation`; left out of `lines` of transcripts. */
  session: { session: unknown; node: unknown } | undefined;
  /** Statuses of the emulation requests. */
  readonly statuses: number[] = [];
  readonly #abort = new AbortController();
  readonly #headers: Record<string, string>;
  #isOpened = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    node: string,
    transport: StreamTransport,
    options: { pong?: boolean; headers?: Record<string, string> } = {},
  ) {
    super(options.pong ?? true);
    this.node = node;
    this.transport = transport;
    this.#headers = options.headers ?? {};
  }

  sendText(text: string): void {
    this.transcript.push(`-> ${text.slice(0, 500)}`);
    if (this.#isOpened) {
      this.#last = this.#last.then(() => this.#emulate(text)).catch((error: unknown) => this.#failed(error));
      return;
    }
    this.#isOpened = true;
    this.#open(text).catch((error: unknown) => this.#failed(error));
  }

  close(): void {
    this.#abort.abort();
    this.ended({ code: 1000, reason: 'aborted here' });
  }

  #failed(error: unknown): void {
    this.transcript.push(`error ${error instanceof Error ? error.message : error}`);
    this.ended({ code: 1006, reason: '' });
  }

  async #open(text: string): Promise<void> {
    const { signal } = this.#abort;
    const response =
      this.transport === 'sse'
        ? await fetch(`${this.node}/connection/sse?cf_connect=${encodeURIComponent(text)}`, {
            signal,
            headers: this.#headers,
          })
        : await fetch(`${this.node}/connection/http_stream`, {
            method: 'POST',
            body: text,
            signal,
            headers: this.#headers,
          });
    this.response = response;
    if (!response.ok || !response.body) return this.ended({ code: response.status, reason: response.statusText });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#take(line.replace(/\r$/, ''));
    }
    this.ended({ code: 1006, reason: '' });
  }

  #take(line: string): void {
    const text = this.transport === 'sse' ? line.replace(/^data: /, '') : line;
    if (text === '' || (this.transport === 'sse' && text === line)) return; // between events, or another field of one
    const message = JSON.parse(text) as Message;
    const push = message.push as { disconnect?: { code: number; reason?: string } } | undefined;
    const connect = message.connect as Message | undefined;
    if (push?.disconnect) this.ended({ code: push.disconnect.code, reason: push.disconnect.reason ?? '' });
    else if (connect) {
      const { session, node, ...others } = connect;
      this.session = { session, node };
      this.receive(JSON.stringify({ ...message, connect: others }));
    } else this.receive(text);
  }

  async #emulate(text: string): Promise<void> {
    const response = await fetch(`${this.node}/emulation`, {
      method: 'POST',
      body: JSON.stringify({ ...this.session, data: text }),
      signal: this.#abort.signal,
    });
    await response.arrayBuffer();
    this.statuses.push(response.status);
  }
}
