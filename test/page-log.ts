import type { Page, Response } from 'playwright';
import { onTestFailed } from 'vitest';

/** A channel in the metadata of an answer without the position that belongs to it (see `WireMeta`), in JSON or in JSON inside a script of a page. */
const UNKNOWN_POSITION = /\{\\?"channel\\?":\\?"[^"]*"(?:,\\?"(?:grant|message)\\?"|\})/;
const PUBLICATION = /\{"push":\{"channel":"([^"]+)","pub":/g;
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const MAX_LINE_LENGTH = 600;
/** Longer than any coalescing of refetches. */
const QUIET_MS = 400;
const MAX_TAKES = 20;

/**
 * What a page asked and what it was told, with the milliseconds since it was opened. Printed when the test fails.
 *
 * Made within a test, before the page goes anywhere.
 */
export class PageLog {
  /** What the page complained about: errors and warnings of its console, and exceptions. */
  readonly complaints: string[] = [];
  readonly #lines: string[] = [];
  readonly #page: Page;
  readonly #requests: string[] = [];
  readonly #bodies: Promise<void>[] = [];
  readonly #publications: string[] = [];
  readonly #startMs = performance.now();
  #ended = 0;
  #unknownPositions = 0;

  constructor(page: Page, name: string) {
    this.#page = page;
    page.on('console', (message) => {
      this.#note(`console ${message.type()}: ${message.text()}`);
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => {
      this.#note(`exception: ${error.message}`);
      this.complaints.push(String(error));
    });
    page.on('request', (request) => {
      this.#requests.push(request.url());
      this.#note(`> ${request.method()} ${request.url()} ${request.postData() ?? ''}`);
    });
    page.on('requestfinished', () => this.#ended++);
    page.on('requestfailed', (request) => {
      this.#ended++;
      this.#note(`! ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on('response', (response) => this.#bodies.push(this.#read(response)));
    page.on('websocket', (socket) => {
      this.#note(`socket ${socket.url()}`);
      socket.on('framesent', ({ payload }) => this.#note(`>> ${payload}`));
      socket.on('framereceived', ({ payload }) => {
        this.#note(`<< ${payload}`);
        for (const [, channel] of String(payload).matchAll(PUBLICATION)) this.#publications.push(channel!);
      });
      socket.on('close', () => this.#note('socket closed'));
    });
    onTestFailed(() => {
      process.stderr.write(`\n${name}:\n${this.#lines.join('\n')}\n`);
    });
  }

  /** How many requests had this in their address. */
  requests(part: string): number {
    return this.#requests.filter((url) => url.includes(part)).length;
  }

  /** How many publications of this channel came over its sockets. */
  publications(channel: string): number {
    return this.#publications.filter((name) => name === channel).length;
  }

  /** Waits until the page is at rest: nothing is on its way, and it starts nothing in `QUIET_MS` of its own time, however slow its thread is. */
  async quiet(): Promise<void> {
    for (;;) {
      const asked = this.#requests.length;
      await this.#page.evaluate(async (hopMs) => {
        for (let hop = 0; hop < 10; hop++) await new Promise((resolve) => setTimeout(resolve, hopMs));
      }, QUIET_MS / 10);
      if (this.#requests.length === asked && this.#ended >= asked) return;
    }
  }

  /**
   * Whether all answers so far carried the positions of their channels. A server gives the broker 100 ms to tell where a channel stands, and an announcement 250 ms:
   * on a machine that stalls for so long an answer leaves without, and the rules then allow one more request (docs/freshness.md).
   */
  async hasAllPositions(): Promise<boolean> {
    await Promise.all(this.#bodies);
    return this.#unknownPositions === 0;
  }

  async #read(response: Response): Promise<void> {
    const type = response.headers()['content-type'] ?? '';
    const isText = /json|html/.test(type);
    // What the page left unread when it went elsewhere is gone.
    const body = isText ? await response.text().catch(() => '(no body)') : type;
    if (UNKNOWN_POSITION.test(body)) this.#unknownPositions++;
    this.#note(`< ${response.status()} ${response.url()} ${/html/.test(type) ? type : body}`);
  }

  #note(line: string): void {
    const since = (performance.now() - this.#startMs).toFixed(0).padStart(6);
    this.#lines.push(`${since} ${line.replaceAll(TOKEN, '(token)').slice(0, MAX_LINE_LENGTH)}`);
  }
}

/**
 * Plays a scene in which requests are counted, and hands on what it found. A take in which an answer left without a position is no measure of the rules for those that
 * have one, so the scene is played again, with fresh pages, until a take has them all.
 */
export async function playTimely<T>(
  scene: (take: number) => Promise<{ readonly logs: readonly PageLog[]; readonly found: T }>,
): Promise<T> {
  for (let take = 1; take <= MAX_TAKES; take++) {
    const { logs, found } = await scene(take);
    const timely = await Promise.all(logs.map((log) => log.hasAllPositions()));
    if (!timely.includes(false)) return found;
  }
  throw new Error(`In each of ${MAX_TAKES} takes an answer came without the position of its channel.`);
}
