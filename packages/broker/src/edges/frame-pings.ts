import { NO_SLOT, type Waiter } from '../core/deadlines.ts';
import type { Engine } from '../core/engine.ts';

/** Where the server's own pings are off, these go on: nothing else notices that a client which only listens is gone. */
const DEFAULT_INTERVAL_MS = 25_000;
const DEFAULT_TIMEOUT_MS = 8_000;

/** The connection that is watched. */
export interface PingedConnection {
  sendPing(): void;
  /** No pong came in time. */
  vanished(): void;
}

/**
 * Pings a WebSocket client that only listens, by WebSocket's own ping frames (RFC 6455 §5.5.2), which every client answers by itself: it sends nothing
 * else by which its end could be noticed.
 */
export class FramePings implements Waiter {
  slot = NO_SLOT;
  readonly #engine: Engine;
  readonly #connection: PingedConnection;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #awaitsPong = false;
  #pingedAtMs: number;

  constructor(engine: Engine, connection: PingedConnection) {
    this.#engine = engine;
    this.#connection = connection;
    const { pingIntervalMs, pongTimeoutMs } = engine.settings.client;
    this.#intervalMs = pingIntervalMs > 0 ? pingIntervalMs : DEFAULT_INTERVAL_MS;
    this.#timeoutMs = pongTimeoutMs > 0 ? pongTimeoutMs : DEFAULT_TIMEOUT_MS;
    this.#pingedAtMs = engine.nowMs;
    this.#wait(this.#intervalMs);
  }

  pong(): void {
    if (!this.#awaitsPong) return;
    this.#awaitsPong = false;
    this.#wait(this.#intervalMs);
  }

  stop(): void {
    this.#engine.deadlines.cancel(this);
  }

  onDeadline(): void {
    if (this.#awaitsPong) {
      this.#connection.vanished();
      return;
    }
    this.#awaitsPong = true;
    this.#pingedAtMs = this.#engine.nowMs;
    this.#connection.sendPing();
    this.#wait(this.#timeoutMs);
  }

  /** Until so long after the last ping. */
  #wait(afterMs: number): void {
    this.#engine.deadlines.schedule(this, this.#pingedAtMs + afterMs);
  }
}
