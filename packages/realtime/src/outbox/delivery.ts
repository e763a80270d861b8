import { BrokerError, ErrorCode, RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import { isRetryable } from '../server/api-client.ts';
import { faultOf, isSound, type OutboxRow, type SoundRow } from './outbox-row.ts';

export interface Publication {
  readonly channel: SoundRow['channel'];
  readonly message: Message;
  readonly key: string;
  readonly tags: OutboxRow['tags'];
}

interface DeliveryOptions {
  /** Rejects where the broker did not take it. Publications of one tick may share a request. */
  readonly publish: (publication: Publication) => Promise<unknown>;
  /** Asked before each round; `false` ends the delivery early. */
  readonly mayGoOn: () => boolean;
  /** How often each row failed so far; kept from batch to batch. */
  readonly failures: Map<string, number>;
  /** A row that failed this often, on a broker that takes others, is set aside. */
  readonly maxAttempts: number;
}

export interface DeliveryReport {
  /** Rows that the broker has taken. */
  readonly published: readonly OutboxRow[];
  /** Rows that it will never take, a `channel-invalidation` in their place. */
  readonly setAside: readonly { readonly row: OutboxRow; readonly reason: string; readonly error: unknown }[];
  /** Attempts that failed and will be made again. */
  readonly retries: number;
  /** Why rows are left, where some are; of the last one that failed. */
  readonly failure: unknown;
}

type Outcome =
  | { readonly kind: 'published' }
  | { readonly kind: 'set-aside'; readonly reason: string; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Publishes a batch, each channel in the order of its rows: a row goes out when the one before it on its channel was taken. What fails holds up its own channel only.
 */
export async function deliver(rows: readonly OutboxRow[], options: DeliveryOptions): Promise<DeliveryReport> {
  const courier = new Courier(options);
  const queues = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const queue = queues.get(row.channel);
    if (queue) queue.push(row);
    else queues.set(row.channel, [row]);
  }
  const published: OutboxRow[] = [];
  const setAside: DeliveryReport['setAside'][number][] = [];
  let retries = 0;
  let failure: unknown = null;
  while (queues.size > 0 && options.mayGoOn()) {
    const heads = Array.from(queues, ([channel, queue]) => ({ channel, queue, row: queue[0] as OutboxRow }));
    const outcomes = await Promise.all(heads.map(({ row }) => courier.deliver(row)));
    for (const [at, { channel, queue, row }] of heads.entries()) {
      const outcome = outcomes[at] as Outcome;
      if (outcome.kind === 'failed') {
        retries += 1;
        failure = outcome.error;
        // The next rows of the channel wait for this one; a broker that is down is left in peace after one row of each.
        queues.delete(channel);
        continue;
      }
      if (outcome.kind === 'published') published.push(row);
      else setAside.push({ row, reason: outcome.reason, error: outcome.error });
      options.failures.delete(row.id);
      queue.shift();
      if (queue.length === 0) queues.delete(channel);
    }
  }
  return { published, setAside, retries, failure };
}

/** Brings one row to the broker, and decides what becomes of it. */
class Courier {
  readonly #options: DeliveryOptions;
  #alone: Promise<unknown> = Promise.resolve();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  async deliver(row: OutboxRow): Promise<Outcome> {
    if (!isSound(row)) return this.#replace(row, faultOf(row), null);
    const error = await this.#attempt(row);
    if (error === null) return { kind: 'published' };
    if (isRefusal(error)) return this.#replace(row, describe(error), error);
    const { failures, maxAttempts } = this.#options;
    const attempts = (failures.get(row.id) ?? 0) + 1;
    failures.set(row.id, attempts);
    return attempts < maxAttempts ? { kind: 'failed', error } : this.#examine(row, error);
  }

  /** Either the broker is down, or it chokes on this very row. What takes the row's place tells. */
  async #examine(row: SoundRow, error: unknown): Promise<Outcome> {
    const replaced = await this.#replace(row, describe(error), error);
    if (replaced.kind !== 'set-aside') return replaced;
    // It may have come back between the two. Alone, as a request may have been too large for what stands before the broker.
    const again = this.#alone.then(() => this.#attempt(row));
    this.#alone = again;
    return (await again) === null ? { kind: 'published' } : replaced;
  }

  async #replace(row: OutboxRow, reason: string, error: unknown): Promise<Outcome> {
    const replacement = {
      ...row,
      content: { message: { type: 'channel-invalidation' } as const },
      key: `${row.key}-replaced`,
    };
    if (isSound(replacement)) {
      const failure = await this.#attempt(replacement);
      if (failure !== null && !isRefusal(failure)) return { kind: 'failed', error: failure };
    }
    return { kind: 'set-aside', reason, error };
  }

  /** The error, or `null`. */
  async #attempt({ channel, content, key, tags }: SoundRow): Promise<unknown> {
    try {
      await this.#options.publish({ channel, message: content.message, key, tags });
      return null;
    } catch (error) {
      return error ?? new RealtimeError(ErrorCode.ApiUnavailable, '`publish` rejected without saying why.');
    }
  }
}

/** Whether the broker, or the check before it, will answer the same for ever. */
function isRefusal(error: unknown): boolean {
  if (error instanceof BrokerError) return !isRetryable(error);
  if (!(error instanceof RealtimeError)) return false;
  const { code } = error;
  return code === ErrorCode.InvalidMessage || code === ErrorCode.InvalidChannel || code === ErrorCode.InvalidArgument;
}

function describe(error: unknown): string {
  return error instanceof RealtimeError ? `${error.code}: ${error.message}` : 'unknown error';
}
