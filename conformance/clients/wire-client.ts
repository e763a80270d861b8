/** How long any single wait may take. Only a failing scenario ever waits this long. */
export const WAIT_MS = 30_000;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A reply or push as it came, parsed. */
export type Message = { [key: string]: unknown };

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** Rejects when nothing settles `promise` in time, with what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, waitMs = WAIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${waitMs} ms for ${what}`)), waitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One connection to a server, by whatever transport: what comes is kept in order. Server pings are answered and left out, unless `pong: false`. */
export abstract class WireClient {
  /** Every message line that came, in order, as text. */
  readonly lines: string[] = [];
  readonly closed: Promise<Close>;
  isClosed = false;
  /** What was said, for a failure's message. */
  readonly transcript: string[] = [];
  readonly #answersPings: boolean;
  #resolveClosed: (close: Close) => void = () => {};
  #queue: Message[] = [];
  #waiters: (() => void)[] = [];
  #nextId = 1;

  constructor(answersPings: boolean) {
    this.#answersPings = answersPings;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Sends these commands, as JSON text, in one frame or request. */
  abstract sendText(text: string): void;
  /** Ends it from this side, at once. */
  abstract close(): void;

  /** Takes in one message line. */
  protected receive(line: string): void {
    this.transcript.push(`<- ${line.slice(0, 500)}`);
    if (line === '{}' && this.#answersPings) this.sendText('{}');
    else {
      this.lines.push(line);
      this.#queue.push(JSON.parse(line) as Message);
      this.#wake();
    }
  }

  protected ended(close: Close): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.transcript.push(`closed ${close.code} ${close.reason}`);
    this.#resolveClosed(close);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** Sends the commands as they are, in one frame. */
  send(...commands: object[]): void {
    this.sendText(commands.map((command) => JSON.stringify(command)).join('\n'));
  }

  /** Sends one command with the next id, and gives its reply without the id. Other messages stay in the queue. */
  async call(command: object): Promise<Message> {
    const id = this.#nextId++;
    this.send({ id, ...command });
    return this.reply(id);
  }

  /** The id that the next `call` will use. */
  get nextId(): number {
    return this.#nextId;
  }

  async reply(id: number): Promise<Message> {
    const { id: _, ...reply } = await this.take((message) => message.id === id, `the reply to ${id}`);
    return reply;
  }

  /** The next push that is in the queue or still to come. */
  async push(): Promise<Message> {
    const message = await this.take((candidate) => 'push' in candidate, 'a push');
    return message.push as Message;
  }

  /** The next publication on this channel, other messages are left where they are. */
  async publication(channel: string): Promise<Message> {
    const message = await this.take(
      ({ push }) => (push as Message | undefined)?.channel === channel && 'pub' in (push as Message),
      `a publication on ${channel}`,
    );
    return (message.push as { pub: Message }).pub;
  }

  /** The next message of any kind. */
  next(): Promise<Message> {
    return this.take(() => true, 'a message');
  }

  /** Messages that came and nobody took. */
  get unread(): readonly Message[] {
    return this.#queue;
  }

  /** Resolves when the server has answered everything sent before: what has not come by then does not come. */
  async settle(): Promise<void> {
    await this.call({ history: { channel: 'closed:settle' } });
  }

  async closeCode(): Promise<Close> {
    return within(this.closed, 'the close frame');
  }

  /** The first message, in the queue or still to come, that matches. */
  async take(matches: (message: Message) => boolean, what: string): Promise<Message> {
    return within(
      (async () => {
        for (;;) {
          const index = this.#queue.findIndex(matches);
          if (index >= 0) return this.#queue.splice(index, 1)[0]!;
          if (this.isClosed) throw new Error(`the connection closed while waiting for ${what}`);
          await new Promise<void>((resolve) => this.#waiters.push(resolve));
        }
      })(),
      what,
    );
  }
}
