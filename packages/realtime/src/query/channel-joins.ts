import { BrokerCode } from '../client/broker-codes.ts';
import type { RealtimeClient, Unsubscribe } from '../client/types.ts';
import type { Clock } from '../core/clock.ts';
import type { BindingReporter } from './binding-reporter.ts';
import { spreadOf } from './spread-of.ts';

/** Who is told what happens on the channels. */
type Streams = Pick<BindingReporter, 'since' | 'join' | 'publication' | 'uncovered' | 'unsubscribed'>;

interface Join {
  /** Active queries that need the channel. */
  uses: number;
  /** Cancels the leaving that is due when nobody has needed it for a while. */
  stay: () => void;
}

/**
 * Keeps a channel joined while an active query needs it, and for a grace afterwards: a page that is left and entered again keeps its place in the stream.
 * Where the connection is full, the channel that has been unused for longest leaves at once. Tells `streams` what happens on them.
 */
export class ChannelJoins {
  /** What ends each subscription. Holds on to nothing but the manager. */
  readonly subscriptions = new Map<string, Unsubscribe>();
  readonly #joins = new Map<string, Join>();
  /** Those that nobody needs now, the longest unused first. */
  readonly #unused = new Map<string, Join>();
  readonly #manager: RealtimeClient;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #graceMs: number;

  constructor(manager: RealtimeClient, streams: Streams, clock: Clock, graceMs: number) {
    this.#manager = manager;
    this.#streams = streams;
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  hold(name: string): void {
    const join = this.#joins.get(name);
    if (join) {
      join.stay();
      join.uses++;
      this.#unused.delete(name);
    } else {
      this.#joins.set(name, { uses: 1, stay: () => {} });
      this.#subscribe(name);
    }
  }

  release(name: string): void {
    const join = this.#joins.get(name);
    if (!join || --join.uses) return;
    this.#unused.set(name, join);
    join.stay = this.#clock.after(this.#graceMs, () => this.#leave(name, join));
  }

  dispose(): void {
    for (const [name, join] of this.#joins) this.#leave(name, join);
  }

  #subscribe(name: string): void {
    const since = this.#streams.since(name);
    // The manager outlives the query client and must not keep it.
    const stream = new WeakRef(this.#streams);
    const joins = new WeakRef(this);
    try {
      const end = this.#manager.subscribe(
        name,
        (message, publication) => stream.deref()?.publication(name, message, publication, spreadOf(message)),
        {
          ...(since && { since }),
          isAutomatic: true,
          onJoin: ({ position, recovered }) => stream.deref()?.join(name, position, recovered),
          onLoss(loss) {
            if (loss.kind === 'dropped') stream.deref()?.uncovered(name);
            else stream.deref()?.unsubscribed(name);
            if (loss.kind === 'refused' && loss.error.brokerCode === BrokerCode.LimitExceeded)
              joins.deref()?.makeRoom();
          },
        },
      );
      this.subscriptions.set(name, end);
    } catch {
      // The manager was disposed of. Its queries are marked, and say that they are not covered.
      this.#streams.unsubscribed(name);
    }
  }

  /** Leaves one channel that nobody needs now, if there is one. */
  makeRoom(): void {
    const [oldest] = this.#unused;
    if (oldest) this.#leave(...oldest);
  }

  #leave(name: string, join: Join): void {
    join.stay();
    this.#joins.delete(name);
    this.#unused.delete(name);
    this.subscriptions.get(name)?.();
    this.subscriptions.delete(name);
    this.#streams.unsubscribed(name);
  }
}
