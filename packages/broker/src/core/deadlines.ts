import type { Clock } from './clock.ts';

/** Something that waits for at most one moment at a time. */
export interface Waiter {
  /** Where it waits, for `Deadlines` alone. */
  slot: number;
  onDeadline(): void;
}

/** No slot: it does not wait. */
export const NO_SLOT = -1;

/**
 * One timer for all connections. Each waits in a slot of `resolutionMs`, so a connection costs an entry in a set instead of a timer and a closure,
 * and many that are due together are woken in one go. A deadline is met at most `resolutionMs` late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #resolutionMs: number;
  readonly #slots = new Map<number, Set<Waiter>>();
  #cancel: (() => void) | undefined;
  #next = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, resolutionMs = 100) {
    this.#clock = clock;
    this.#resolutionMs = resolutionMs;
  }

  /** Lets `waiter` wait until `atMs`, and no longer for what it waited before. */
  schedule(waiter: Waiter, atMs: number): void {
    const slot = Math.ceil(atMs / this.#resolutionMs);
    if (waiter.slot === slot) return;
    this.cancel(waiter);
    let waiters = this.#slots.get(slot);
    if (!waiters) {
      waiters = new Set();
      this.#slots.set(slot, waiters);
    }
    waiters.add(waiter);
    waiter.slot = slot;
    if (slot < this.#next) this.#arm(slot);
  }

  cancel(waiter: Waiter): void {
    if (waiter.slot === NO_SLOT) return;
    const waiters = this.#slots.get(waiter.slot);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#slots.delete(waiter.slot);
    waiter.slot = NO_SLOT;
  }

  /** Forgets everybody. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#slots.clear();
    this.#next = Number.POSITIVE_INFINITY;
  }

  #arm(slot: number): void {
    this.#cancel?.();
    this.#next = slot;
    // A timer holds at most 2^31 - 1 ms; past that it is armed again on the way.
    const delayMs = Math.min(slot * this.#resolutionMs - this.#clock.now(), 2 ** 31 - 1);
    this.#cancel = this.#clock.after(Math.max(delayMs, 0), () => this.#wake());
  }

  #wake(): void {
    this.#cancel = undefined;
    this.#next = Number.POSITIVE_INFINITY;
    const due = Math.floor(this.#clock.now() / this.#resolutionMs);
    const passed = [...this.#slots.keys()].filter((slot) => slot <= due).sort((a, b) => a - b);
    for (const slot of passed) {
      const waiters = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      for (const waiter of waiters) {
        waiter.slot = NO_SLOT;
        waiter.onDeadline();
      }
    }
    const next = Math.min(...this.#slots.keys());
    if (next < this.#next) this.#arm(next);
  }
}
