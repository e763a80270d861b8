import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NO_SLOT, type Waiter } from '../core/deadlines.ts';
import type { Engine } from '../core/engine.ts';

/** Time for the whole head of the first request. */
const HEAD_TIMEOUT_MS = 10_000;
/** Time for a whole body. */
const BODY_TIMEOUT_MS = 60_000;
/** Time from the end of a response to the end of the next request's head. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Ends a connection of Node's HTTP server whose requests take too long to arrive. */
export class RequestTimer implements Waiter {
  slot = NO_SLOT;
  readonly #socket: Socket;
  readonly #engine: Engine;
  /** What is being served. */
  #request: IncomingMessage | undefined;

  constructor(socket: Socket, engine: Engine) {
    this.#socket = socket;
    this.#engine = engine;
    socket.once('close', () => this.stop());
    this.#allow(HEAD_TIMEOUT_MS);
  }

  onDeadline(): void {
    // A response may take as long as it likes: some are streams.
    if (!this.#request?.complete) this.#socket.destroy();
  }

  /** The head of a request is there, its body may follow. */
  reads(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    this.#allow(BODY_TIMEOUT_MS);
    response.once('close', () => {
      if (this.#socket.destroyed || this.#request !== request) return;
      this.#request = undefined;
      this.#allow(KEEP_ALIVE_TIMEOUT_MS);
    });
  }

  stop(): void {
    this.#engine.deadlines.cancel(this);
  }

  #allow(timeoutMs: number): void {
    this.#engine.deadlines.schedule(this, this.#engine.nowMs + timeoutMs);
  }
}
