import type { ChannelName } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { RealtimeError } from '../core/errors.ts';
import type { Position } from '../core/position.ts';
import {
  type ApiClient,
  brokerErrorOf,
  isRecord,
  isRetryable,
  RETRY_DELAY_MS,
  unexpectedAnswer,
} from './api-client.ts';
import { delay } from './deadline.ts';
import { ApiTimeoutError } from './errors.ts';

/** More publishes than this go in another request. */
export const MAX_COMMANDS_PER_REQUEST = 500;

/** A request is closed when its body has reached this many characters. */
const MAX_REQUEST_CHARS = 1_000_000;

/** Further requests wait, and so gather what comes meanwhile: a burst of any shape stays a handful of requests. */
export const MAX_REQUESTS_IN_FLIGHT = 8;

/** What became of a message on one channel. */
export type PublishOutcome =
  | { readonly channel: ChannelName; readonly ok: true; readonly position: Position | null }
  | { readonly channel: ChannelName; readonly ok: false; readonly error: RealtimeError };

/** One message for one or several channels. */
export interface PublishCommand {
  /** Without duplicates, at least one. */
  readonly channels: readonly ChannelName[];
  /** The other fields of Centrifugo's command as JSON text without braces: `"idempotency_key":…`. */
  readonly fields: string;
  /** The message as JSON text: an object with at least one field. */
  readonly data: string;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface PublishReply {
  /** In the order of the command's channels. */
  readonly outcomes: readonly PublishOutcome[];
  /** 1, or 2 after a retry. */
  readonly attempts: number;
}

export interface PublishQueueOptions {
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
  #waiting: Entry[] = [];
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
      const entry = new Entry(command, resolve);
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
  #takeBatch(): Entry[] {
    const batch: Entry[] = [];
    const rest: Entry[] = [];
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

  #deliver(batch: readonly Entry[]): void {
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
  #occupy(batch: readonly Entry[]): () => void {
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

  async #attemptTwice(batch: readonly Entry[], signal: AbortSignal): Promise<void> {
    await this.#attempt(batch, signal, false);
    if (batch.every((entry) => entry.isSettled)) return;
    await delay(this.#clock, RETRY_DELAY_MS, signal);
    const rest = batch.filter((entry) => !entry.isSettled);
    if (rest.length > 0) await this.#attempt(rest, signal, true);
  }

  /** Asks for every undecided channel of the entries. Unless it is the last attempt, what may be retried stays undecided. */
  async #attempt(entries: readonly Entry[], signal: AbortSignal, isLast: boolean): Promise<void> {
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
function batchBody(entries: readonly Entry[]): string {
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

/** A command on its way. */
class Entry {
  readonly channels: readonly ChannelName[];
  readonly method: 'publish' | 'broadcast';
  #fields: string;
  readonly #data: string;
  readonly #resolve: (reply: PublishReply) => void;
  /** By the index of the channel; what is missing is undecided. */
  readonly #outcomes: (PublishOutcome | undefined)[] = [];
  attempts = 0;
  isSettled = false;
  /** Its message is complete. */
  isReady = false;
  /** Set where the entry had to wait: then its time limit is not that of its request. */
  stopTimer: (() => void) | undefined;

  constructor({ channels, fields, data, tags }: PublishCommand, resolve: (reply: PublishReply) => void) {
    this.channels = channels;
    this.method = channels.length === 1 ? 'publish' : 'broadcast';
    this.#fields = tags ? `${fields},"tags":${JSON.stringify(tags)}` : fields;
    this.#data = data;
    this.#resolve = resolve;
  }

  spreadOver(spreadMs: number): void {
    this.#fields += `,"data":${spreadMs > 0 ? `${this.#data.slice(0, -1)},"spreadMs":${spreadMs}}` : this.#data}`;
    this.isReady = true;
  }

  get chars(): number {
    return this.channels.reduce((sum, channel) => sum + channel.length, this.#fields.length);
  }

  /** The command's parameters for the channels that are not decided yet. Channel names need no escapes in JSON. */
  params(): string {
    if (this.method === 'publish') return `{"channel":"${this.channels[0]}",${this.#fields}}`;
    const undecided = this.channels.filter((_, at) => !this.#outcomes[at]);
    return `{"channels":${JSON.stringify(undecided)},${this.#fields}}`;
  }

  /** Takes in the reply `{ result }` or `{ error }` of one attempt. */
  take(reply: Record<string, unknown>, isLast: boolean): void {
    const refusal = brokerErrorOf(reply);
    const { responses = null } = isRecord(reply.result) ? reply.result : {};
    if (this.method === 'publish') this.#takeAll([reply], isLast);
    else if (refusal) this.failAttempt(refusal, isLast);
    else if (Array.isArray(responses)) this.#takeAll(responses, isLast);
    else this.failAttempt(unexpectedAnswer(this.method), isLast);
  }

  /** All that was asked in this attempt failed. */
  failAttempt(error: RealtimeError, isLast: boolean): void {
    if (isLast || !isRetryable(error)) this.#fail(error);
  }

  /** The time limit is reached. */
  expire(timeoutMs: number): void {
    if (!this.isSettled) this.#fail(new ApiTimeoutError(this.method, timeoutMs));
  }

  /** `replies` are those to the undecided channels, in their order. */
  #takeAll(replies: readonly unknown[], isLast: boolean): void {
    let next = 0;
    let isDecided = true;
    for (const [at, channel] of this.channels.entries()) {
      if (this.#outcomes[at]) continue;
      const outcome = readOutcome(channel, replies[next++], this.method);
      if (!outcome.ok && !isLast && isRetryable(outcome.error)) isDecided = false;
      else this.#outcomes[at] = outcome;
    }
    if (isDecided) this.#settle();
  }

  /** Ends the command: what is undecided has failed. */
  #fail(error: RealtimeError): void {
    for (const [at, channel] of this.channels.entries()) this.#outcomes[at] ??= { channel, ok: false, error };
    this.#settle();
  }

  #settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.stopTimer?.();
    this.#resolve({ outcomes: this.#outcomes as PublishOutcome[], attempts: this.attempts });
  }
}

function readOutcome(channel: ChannelName, reply: unknown, method: string): PublishOutcome {
  const { result } = isRecord(reply) ? reply : {};
  if (isRecord(result)) return { channel, ok: true, position: positionOf(result) };
  return { channel, ok: false, error: (isRecord(reply) && brokerErrorOf(reply)) || unexpectedAnswer(method) };
}

/** The position in a `publish` or `history` result; `null` where the namespace keeps no history. */
export function positionOf(result: unknown): Position | null {
  if (!isRecord(result) || typeof result.epoch !== 'string' || result.epoch === '') return null;
  // Some encoders leave out zeros.
  const { epoch, offset = 0 } = result;
  return typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? { epoch, offset } : null;
}
