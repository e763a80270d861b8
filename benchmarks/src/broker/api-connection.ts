import { connect, type Socket } from 'node:net';

/** One keep-alive connection to the server API with at most one request on its way. Reads as little of the answer as it can. */
export class ApiConnection {
  failures = 0;
  /** Told how long each request took. */
  onAnswer: ((elapsedMs: number) => void) | undefined;
  readonly #socket: Socket;
  readonly #head: string;
  #answered: (() => void) | undefined;
  #postedAt = 0;
  #body = '';

  constructor(port: number, apiKey: string, path = '/api/publish') {
    this.#head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-API-Key: ${apiKey}\r\nContent-Length: `;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => {
      this.failures++;
    });
  }

  post(body: string, answered: () => void): void {
    this.#answered = answered;
    this.#postedAt = performance.now();
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const text = this.#body + chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(text);
    if (end < 0 || !length || text.length < end + 4 + Number(length[1])) {
      this.#body = text;
      return;
    }
    this.#body = '';
    if (!text.startsWith('HTTP/1.1 200') || text.includes('"error"', end)) this.failures++;
    this.onAnswer?.(performance.now() - this.#postedAt);
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.();
  }
}
