import type { Position } from './stream.ts';

/** How long a key is remembered. */
const IDEMPOTENCY_TTL_MS = 5 * 60 * 1000;

interface Entry {
  readonly position: Position | undefined;
  readonly expiresAtMs: number;
}

/** Remembers the results of publishes by channel and key, so that a repeated one is not published twice. */
export class IdempotencyCache {
  /** In the order of expiry, since all entries live equally long. */
  readonly #entries = new Map<string, Entry>();

  find(channel: string, key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(`${channel}\0${key}`);
    return entry && entry.expiresAtMs > nowMs ? entry : undefined;
  }

  save(channel: string, key: string, position: Position | undefined, nowMs: number): void {
    this.expire(nowMs);
    const id = `${channel}\0${key}`;
    this.#entries.delete(id);
    this.#entries.set(id, { position, expiresAtMs: nowMs + IDEMPOTENCY_TTL_MS });
  }

  expire(nowMs: number): void {
    for (const [id, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs) return;
      this.#entries.delete(id);
    }
  }
}
