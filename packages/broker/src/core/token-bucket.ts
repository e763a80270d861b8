/** Lets `capacity` things pass at once, and one more for every second that has gone by. */
export class TokenBucket {
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#tokens = capacity;
  }

  /** Whether one may pass now. */
  take(nowMs: number): boolean {
    const gained = (nowMs - this.#filledAtMs) / 1000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
