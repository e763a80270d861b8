import type {
  ChannelGrant,
  MessageHandler,
  Publication,
  RealtimeClient,
  RealtimeStatus,
  SubscribeOptions,
  Unsubscribe,
} from '../src/client/types.ts';
import { ChannelRefusedError } from '../src/core/errors.ts';
import type { Message } from '../src/core/message.ts';
import type { Position } from '../src/core/position.ts';

interface Stream {
  epoch: string;
  offset: number;
  history: { offset: number; message: Message }[];
}

/**
 * A manager whose connection and streams a test moves by hand. Subscriptions to channels are joined in a microtask unless `isConnected` is off or the channel is
 * refused.
 */
export class FakeManager implements RealtimeClient {
  readonly status: RealtimeStatus = { state: 'idle', since: 0, reason: null };
  readonly grants: ChannelGrant[] = [];
  readonly subscriptions = new Map<
    string,
    Set<{ handler: MessageHandler; options: SubscribeOptions; joined: boolean }>
  >();
  /** Every channel ever asked for, in order. */
  readonly asked: string[] = [];
  readonly refused = new Map<string, number | null>();
  maxChannels = Number.POSITIVE_INFINITY;
  isConnected = true;
  readonly #streams = new Map<string, Stream>();
  readonly #handlers = new Set<MessageHandler>();

  subscribe(channel: string, handler: MessageHandler, options: SubscribeOptions = {}): Unsubscribe {
    this.asked.push(channel);
    const subscription = { handler, options, joined: false };
    const all = this.subscriptions.get(channel) ?? new Set();
    this.subscriptions.set(channel, all.add(subscription));
    queueMicrotask(() => this.#join(channel, subscription));
    return () => {
      all.delete(subscription);
      if (!all.size) this.subscriptions.delete(channel);
    };
  }

  addGrant(grant: ChannelGrant): void {
    this.grants.push(grant);
  }

  isConnectionChannel(): boolean {
    return false;
  }

  onStatus(): Unsubscribe {
    return () => {};
  }

  onMessage(handler: MessageHandler): Unsubscribe {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  // ── the test's side ────────────────────────────────────────────────────────

  get listeners(): number {
    return this.#handlers.size;
  }

  /** Where the channel's stream stands. */
  top(channel: string): Position {
    const { epoch, offset } = this.#stream(channel);
    return { epoch, offset };
  }

  /** Appends to the stream and delivers to whoever is joined. */
  publish(channel: string, message: Message): Position {
    const position = this.append(channel, message);
    this.deliver(channel, message, position);
    return position;
  }

  /** Appends to the stream without delivering: the publication is late, or lost. */
  append(channel: string, message: Message): Position {
    const stream = this.#stream(channel);
    stream.history.push({ offset: ++stream.offset, message });
    return this.top(channel);
  }

  deliver(channel: string, message: Message, position: Position | null, recovered = false): void {
    const publication: Publication = { channel, position, recovered, tags: {} };
    const subscriptions = [...(this.subscriptions.get(channel) ?? [])];
    for (const { handler, joined } of subscriptions) if (joined) handler(message, publication);
    if (subscriptions.length && subscriptions.every(({ options }) => options.isAutomatic)) return;
    for (const handler of [...this.#handlers]) handler(message, publication);
  }

  /** The connection is lost. */
  drop(): void {
    this.isConnected = false;
    for (const [channel, all] of this.subscriptions)
      for (const subscription of all) {
        if (subscription.joined) subscription.options.onLoss?.({ channel, kind: 'dropped' });
        subscription.joined = false;
      }
  }

  /** The connection is back; every channel is joined again as `how` says. */
  rejoin(
    how: 'recovered' | 'unrecovered',
    from: (channel: string) => Position = () => ({ epoch: '', offset: 0 }),
  ): void {
    this.isConnected = true;
    for (const [channel, all] of this.subscriptions)
      for (const subscription of all) {
        subscription.joined = true;
        const stream = this.#stream(channel);
        if (how === 'unrecovered')
          subscription.options.onJoin?.({
            channel,
            position: this.top(channel),
            recovered: false,
            wasRecovering: true,
          });
        else {
          const start = from(channel);
          subscription.options.onJoin?.({ channel, position: start, recovered: true, wasRecovering: true });
          for (const { offset, message } of stream.history)
            if (offset > start.offset)
              subscription.handler(message, {
                channel,
                position: { epoch: stream.epoch, offset },
                recovered: true,
                tags: {},
              });
        }
      }
  }

  /** The broker lost its memory. */
  newEpoch(channel: string, epoch: string): void {
    this.#streams.set(channel, { epoch, offset: 0, history: [] });
  }

  refuse(channel: string, brokerCode: number | null = 103): void {
    for (const subscription of this.subscriptions.get(channel) ?? []) {
      subscription.joined = false;
      subscription.options.onLoss?.({
        channel,
        kind: 'refused',
        error: new ChannelRefusedError(channel, 'no', brokerCode),
      });
    }
  }

  #isFull(): boolean {
    if (this.maxChannels > this.subscriptions.size) return false;
    let joined = 0;
    for (const all of this.subscriptions.values())
      if ([...all].some((one) => one.joined) && ++joined >= this.maxChannels) return true;
    return false;
  }

  #stream(channel: string): Stream {
    const stream = this.#streams.get(channel) ?? { epoch: 'e', offset: 0, history: [] };
    this.#streams.set(channel, stream);
    return stream;
  }

  #join(channel: string, subscription: { handler: MessageHandler; options: SubscribeOptions; joined: boolean }): void {
    if (!this.isConnected || !this.subscriptions.get(channel)?.has(subscription)) return;
    const refusal = this.refused.get(channel);
    if (refusal !== undefined || this.#isFull()) {
      this.refuse(channel, refusal === undefined ? 106 : refusal);
      return;
    }
    const stream = this.#stream(channel);
    const { since } = subscription.options;
    subscription.joined = true;
    const canRecover =
      since?.epoch === stream.epoch && since.offset >= (stream.history[0]?.offset ?? stream.offset) - 1;
    if (!since || !canRecover) {
      const position = this.top(channel);
      subscription.options.onJoin?.({ channel, position, recovered: false, wasRecovering: !!since });
      return;
    }
    subscription.options.onJoin?.({ channel, position: since, recovered: true, wasRecovering: true });
    for (const { offset, message } of stream.history)
      if (offset > since.offset)
        subscription.handler(message, {
          channel,
          position: { epoch: stream.epoch, offset },
          recovered: true,
          tags: {},
        });
  }
}
