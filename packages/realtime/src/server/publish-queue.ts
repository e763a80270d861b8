import type { ChannelName } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { RealtimeError } from '../core/errors.ts';
import { isRecord } from '../core/is-record.ts';
import { type ApiClient, brokerErrorOf, RETRY_DELAY_MS, unexpectedAnswer } from './api-client.ts';
import { delay } from './deadline.ts';
import { PendingCommand, type PublishCommand, type PublishReply } from './publish-command.ts';

/** More publishes than this go in another request. */
export const MAX_COMMANDS_PER_REQUEST = 500;

/** A request is closed when its body has reached this many characters. */
const MAX_REQUEST_CHARS = 1_000_000;

/** Further requests wait, and so gather what comes meanwhile: a burst of any shape stays a handful of requests. */
export const MAX_REQUESTS_IN_FLIGHT = 8;

interface PublishQueueOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Sends commands: those of one tick share a request, a single one is a plain `publish` or `broadcast`.
 *
 * - The answer to each command comes within `timeoutMs`, waiting and retry included. What failed retryably is asked once more, with the same idempotency key.
 * - Order: two publishes to one channel reach the broker in the order of the calls. While a request with a channel is under way, later publishes to that channel wait.
 *   A request that takes more than half of the time limit gives this up: late is worse than out of order, which costs a reader at most a refetch.
 *
 * What a publish costs before its request leaves, its caller waits for; so timers and books come after.
 */
export class PublishQueue {
  readonly #api: ApiClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #waiting: PendingCommand[] = [];
  /** How many requests under way have the channel. */
  readonly #busy = new Map<ChannelName, number>();
  #inFlight = 0;
  #isFlushScheduled = false;

  constructor({ api, clock, timeoutMs }: PublishQueueOptions) {
    this.#api = api;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves always; failures are outcomes.
   *
   * @param spreadMs becomes part of the message. What waits for it holds back later publishes to its channels, so that their order stays. Must not reject.
   */
  send(command: PublishCommand, spreadMs: number | Promise<number> = 0): Promise<PublishReply> {
    return new Promise((resolve) => {
      const entry = new PendingCommand(command, resolve);
      this.#waiting.push(entry);
      if (typeof spreadMs === 'number') entry.spreadOver(spreadMs);
      else
        void spreadMs.then((known) => {
          entry.spreadOver(known);
          this.#flushSoon();
        });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // A microtask comes after the other callers that the same event woke up, and before any I/O.
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < MAX_REQUESTS_IN_FLIGHT) {
      const batch = this.#takeBatch();
      if (batch.length === 0) break;
      this.#deliver(batch);
    }
    for (const entry of this.#waiting)
      entry.stopTimer ??= this.#clock.after(this.#timeoutMs, () => entry.expire(this.#timeoutMs));
  }

  /** The next entries, in order, none of which must wait for a request under way or for an entry before it. */
  #takeBatch(): PendingCommand[] {
    const batch: PendingCommand[] = [];
    const rest: PendingCommand[] = [];
    const blocked = new Set<ChannelName>();
    let chars = 0;
    for (const [at, entry] of this.#waiting.entries()) {
      if (batch.length >= MAX_COMMANDS_PER_REQUEST || chars >= MAX_REQUEST_CHARS) {
        rest.push(...this.#waiting.slice(at));
        break;
      }
      if (entry.isSettled) continue;
      if (!entry.isReady || entry.channels.some((channel) => blocked.has(channel) || this.#busy.has(channel))) {
        for (const channel of entry.channels) blocked.add(channel);
        rest.push(entry);
        continue;
      }
      batch.push(entry);
      chars += entry.chars;
    }
    this.#waiting = rest;
    return batch;
  }

  #deliver(batch: readonly PendingCommand[]): void {
    const controller = new AbortController();
    const delivery = this.#attemptTwice(batch, controller.signal);
    const release = this.#occupy(batch);
    let stopTimer = this.#clock.after(this.#timeoutMs / 2, () => {
      release();
      stopTimer = this.#clock.after(this.#timeoutMs / 2, () => {
        for (const entry of batch) entry.expire(this.#timeoutMs);
        controller.abort();
      });
    });
    void delivery.then(() => {
      stopTimer();
      release();
    });
  }

  /** Takes a request slot and the channels; the returned function gives them back, once. */
  #occupy(batch: readonly PendingCommand[]): () => void {
    this.#inFlight += 1;
    for (const { channels } of batch)
      for (const channel of channels) this.#busy.set(channel, (this.#busy.get(channel) ?? 0) + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#inFlight -= 1;
      for (const { channels } of batch)
        for (const channel of channels) {
          const count = this.#busy.get(channel) ?? 1;
          if (count === 1) this.#busy.delete(channel);
          else this.#busy.set(channel, count - 1);
        }
      this.#flush();
    };
  }

  async #attemptTwice(batch: readonly PendingCommand[], signal: AbortSignal): Promise<void> {
    await this.#attempt(batch, signal, false);
    if (batch.every((entry) => entry.isSettled)) return;
    await delay(this.#clock, RETRY_DELAY_MS, signal);
    const rest = batch.filter((entry) => !entry.isSettled);
    if (rest.length > 0) await this.#attempt(rest, signal, true);
  }

  /** Asks for every undecided channel of the entries. Unless it is the last attempt, what may be retried stays undecided. */
  async #attempt(entries: readonly PendingCommand[], signal: AbortSignal, isLast: boolean): Promise<void> {
    for (const entry of entries) entry.attempts += 1;
    const [first] = entries;
    try {
      if (first && entries.length === 1) {
        first.take(await this.#api.attempt(first.method, first.params(), signal), isLast);
        return;
      }
      const reply = await this.#api.attempt('batch', batchBody(entries), signal);
      const { replies } = reply;
      const refusal = brokerErrorOf(reply);
      if (refusal) throw refusal;
      if (!Array.isArray(replies) || replies.length !== entries.length) throw unexpectedAnswer('batch');
      for (const [at, entry] of entries.entries()) entry.take(unwrapBatchReply(replies[at], entry.method), isLast);
    } catch (error) {
      for (const entry of entries) entry.failAttempt(error as RealtimeError, isLast);
    }
  }
}

/** The commands run side by side in the broker where no channel occurs twice; else one after the other, to keep their order. */
function batchBody(entries: readonly PendingCommand[]): string {
  const commands = entries.map((entry) => `{"${entry.method}":${entry.params()}}`);
  const channels = entries.flatMap((entry) => entry.channels);
  const isParallel = new Set(channels).size === channels.length;
  return `{"commands":[${commands.join(',')}]${isParallel ? ',"parallel":true' : ''}}`;
}

/** `{ publish: result }` as the API has it inside a batch, in the form that it has outside: `{ result }`. */
function unwrapBatchReply(reply: unknown, method: string): Record<string, unknown> {
  if (!isRecord(reply)) throw unexpectedAnswer('batch');
  return isRecord(reply.error) ? reply : { result: reply[method] };
}
