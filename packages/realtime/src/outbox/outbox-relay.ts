import { backoffMs } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Realtime } from '../server/realtime.ts';
import { type DeliveryReport, deliver, type Publication } from './delivery.ts';
import type { OutboxRow } from './outbox-row.ts';
import type { OpenStore, OutboxStore } from './outbox-store.ts';
import type { RelayFault } from './relay-faults.ts';
import { nextRelayStep, type RelayAction, type RelayEvent, type RelayState } from './relay-state.ts';
import { countDeadLetter, countPublished, countRetries } from './relay-telemetry.ts';

/** What a relay says about itself, for a health check. */
export interface RelayStatus {
  /** What it is doing. */
  readonly state: RelayState;
  /** Rows that the broker has taken, since the start. */
  readonly published: number;
  /** Attempts that failed and were, or will be, made again. */
  readonly retries: number;
  /** Rows that were set aside. */
  readonly deadLetters: number;
  /** How long the last published row had waited; `null` before the first. */
  readonly lagMs: number | null;
}

export interface RelayParts {
  readonly open: OpenStore;
  readonly realtime: Pick<Realtime, 'publish'>;
  readonly report: (fault: RelayFault) => void;
  readonly onState: ((state: RelayState) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly batchSize: number;
  readonly pollMs: number;
  readonly maxAttempts: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

/** Takes rows from the table to the broker. What happens when is in the table of `relay-state.ts`; this file does it. */
export class OutboxRelay {
  readonly #parts: RelayParts;
  #state: RelayState = 'connecting';
  #store: OutboxStore | null = null;
  #cancelTimer: () => void = () => {};
  #attempts = 0;
  #reconnects = 0;
  /** Of the rows of the last batch. */
  readonly #failures = new Map<string, number>();
  #published = 0;
  #retries = 0;
  #deadLetters = 0;
  #lagMs: number | null = null;
  readonly #stopped: Promise<void>;
  #resolveStopped: () => void = () => {};

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    this.#perform('open');
  }

  get status(): RelayStatus {
    return {
      state: this.#state,
      published: this.#published,
      retries: this.#retries,
      deadLetters: this.#deadLetters,
      lagMs: this.#lagMs,
    };
  }

  /** Ends what is under way, gives back lock and connection. Harmless when called again. */
  stop(): Promise<void> {
    this.#on('stop');
    return this.#stopped;
  }

  /** Returns whether the event changed anything. */
  #on(event: RelayEvent): boolean {
    const before = this.#state;
    const { state, action } = nextRelayStep(before, event);
    if (state === before && action === null) return false;
    this.#state = state;
    if (state !== before) this.#parts.onState?.(state);
    // A timer belongs to the state that set it.
    this.#cancelTimer();
    if (state === 'disconnected') this.#discard();
    if (state === 'stopped') this.#resolveStopped();
    this.#perform(action);
    return true;
  }

  #perform(action: RelayAction): void {
    const { random, pollMs, retry } = this.#parts;
    if (action === 'open') void this.#open();
    else if (action === 'close') void this.#close();
    else if (action === 'lock') this.#run((store) => this.#lock(store));
    else if (action === 'drain') this.#run((store) => this.#drain(store));
    else if (action === 'poll') this.#wait(pollMs);
    else if (action === 'back-off') this.#wait(backoffMs(this.#attempts++, retry, random));
    else if (action === 'reconnect') this.#wait(backoffMs(this.#reconnects++, retry, random));
  }

  #wait(delayMs: number): void {
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => this.#on('due'));
  }

  async #open(): Promise<void> {
    let opened: OutboxStore | null = null;
    // What an earlier connection says late is not about this one.
    const isCurrent = () => opened !== null && this.#store === opened;
    try {
      opened = await this.#parts.open({
        onNotified: () => {
          if (isCurrent()) this.#on('notified');
        },
        onLost: (error) => {
          if (isCurrent() && this.#on('lost')) this.#reportDatabase(error);
        },
      });
      this.#store = opened;
      this.#on('opened');
    } catch (error) {
      this.#reportDatabase(error);
      this.#on('unopened');
    }
  }

  async #lock(store: OutboxStore): Promise<RelayEvent> {
    const isLocked = await store.lock();
    this.#reconnects = 0;
    return isLocked ? 'locked' : 'refused';
  }

  /** One batch: read, published, deleted. Never more rows than that are in memory. */
  async #drain(store: OutboxStore): Promise<RelayEvent> {
    const { batchSize, maxAttempts, clock } = this.#parts;
    const rows = await store.read(batchSize);
    const readAt = clock.now();
    this.#forgetOthers(rows);
    const report = await deliver(rows, {
      publish: (publication) => this.#publish(publication),
      mayGoOn: () => this.#state === 'draining' || this.#state === 'woken',
      failures: this.#failures,
      maxAttempts,
    });
    await this.#record(store, report, clock.now() - readAt);
    if (report.failure !== null) {
      if (report.published.length > 0) this.#attempts = 0;
      this.#parts.report({ kind: 'broker', error: report.failure });
      return 'failed';
    }
    this.#attempts = 0;
    return rows.length < batchSize ? 'emptied' : 'more';
  }

  async #publish({ channel, message, key, tags }: Publication): Promise<void> {
    await this.#parts.realtime.publish(channel, message, { idempotencyKey: key, ...(tags && { tags }) });
  }

  async #record(store: OutboxStore, { published, setAside, retries }: DeliveryReport, tookMs: number): Promise<void> {
    if (published.length > 0) await store.remove(published.map(({ id }) => id));
    for (const { row, reason, error } of setAside) {
      await store.setAside(row.id, reason);
      this.#deadLetters += 1;
      countDeadLetter(row);
      this.#parts.report({ kind: 'dead-letter', error, rowId: row.id, reason });
    }
    this.#published += published.length;
    this.#retries += retries;
    countRetries(retries);
    for (const row of published) {
      this.#lagMs = row.ageMs + tookMs;
      countPublished(row, this.#lagMs);
    }
  }

  /** So that the map never holds more than a batch. */
  #forgetOthers(rows: readonly OutboxRow[]): void {
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }

  #run(job: (store: OutboxStore) => Promise<RelayEvent>): void {
    const store = this.#store as OutboxStore;
    job(store).then(
      (event) => this.#on(event),
      (error: unknown) => {
        this.#reportDatabase(error);
        this.#on('broken');
      },
    );
  }

  #discard(): void {
    const store = this.#store;
    this.#store = null;
    // What is broken may fail at this as well.
    store?.close().catch(() => {});
  }

  async #close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    try {
      await store?.close();
    } catch (error) {
      this.#reportDatabase(error);
    }
    this.#on('closed');
  }

  #reportDatabase(error: unknown): void {
    this.#parts.report({ kind: 'database', error });
  }
}
