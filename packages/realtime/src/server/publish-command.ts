import type { ChannelName } from '../core/channel.ts';
import type { RealtimeError } from '../core/errors.ts';
import { isRecord } from '../core/is-record.ts';
import type { Position } from '../core/position.ts';
import { brokerErrorOf, isRetryable, positionOf, unexpectedAnswer } from './api-client.ts';
import { ApiTimeoutError } from './errors.ts';

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

/** A command on its way: what it still asks for, and what is known of its outcome. Sends nothing itself. */
export class PendingCommand {
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
