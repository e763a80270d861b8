import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A publication that was sent to the broker. */
export interface Sent {
  readonly channel: string;
  /** Of a `note` event; `null` for everything else. */
  readonly note: string | null;
  /** Counts what the broker confirmed; `null` where no confirmation came. */
  readonly acceptedAt: number | null;
}

/** Stands between relay and broker, is never killed, and remembers what was sent and what was confirmed. */
export class ApiRecorder {
  readonly #server: Server;
  readonly #broker: string;
  #accepted = 0;
  #sent: Sent[] = [];

  private constructor(brokerUrl: string) {
    this.#broker = brokerUrl;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString();
        const answer = await this.#forward(request.url ?? '', request.headers['x-api-key'], body);
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
      } catch {
        response.destroy(); // the broker is dead, and so is whoever stands before it
      }
    });
  }

  static async listen(brokerUrl: string): Promise<ApiRecorder> {
    const recorder = new ApiRecorder(brokerUrl);
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api`;
  }

  /** What was sent since the last call. */
  take(): readonly Sent[] {
    return this.#sent.splice(0);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #forward(path: string, key: string | string[] | undefined, body: string) {
    const commands = commandsOf(path, body);
    const answer = await fetch(`${this.#broker}${path.replace(/^\/api/, '')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': String(key) },
      body,
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch((error: unknown) => {
        for (const command of commands) this.#sent.push({ ...command, acceptedAt: null });
        throw error;
      });
    const replies = repliesOf(answer.text);
    for (const [at, command] of commands.entries())
      this.#sent.push({ ...command, acceptedAt: replies[at] === true ? this.#accepted++ : null });
    return answer;
  }
}

function commandsOf(path: string, body: string): Omit<Sent, 'acceptedAt'>[] {
  const parsed = JSON.parse(body);
  const all = path.endsWith('/batch')
    ? parsed.commands.map((command: { publish: unknown }) => command.publish)
    : [parsed];
  return all.map(({ channel, data }: { channel: string; data: { name?: string; data?: string } }) => ({
    channel,
    note: data.name === 'note' ? (data.data ?? null) : null,
  }));
}

/** Of each command, whether it was done. */
function repliesOf(text: string): boolean[] {
  const parsed = JSON.parse(text);
  const all: Record<string, unknown>[] = Array.isArray(parsed.replies) ? parsed.replies : [parsed];
  return all.map((reply) => reply.error === undefined);
}
