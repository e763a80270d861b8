import { InvalidMessageError, RealtimeError } from '../core/errors.ts';
import type { ManagerEvent } from '../core/events.ts';
import { parseMessage } from '../core/message.ts';
import { type Observers, tell } from '../core/observers.ts';
import type { Position } from '../core/position.ts';
import { type ChannelEvent, type ChannelState, isCovered, isFinal, nextChannelState } from './channel-state.ts';
import type { ChannelSnapshot } from './connection-snapshot.ts';
import { type TransportJoin, type TransportPublication, toPublication } from './transport.ts';
import type { ChannelJoin, ChannelLoss, MessageHandler, SubscribeOptions, Unsubscribe } from './types.ts';

/** One call of `subscribe`. */
interface Registration {
  readonly handler: MessageHandler;
  readonly options: SubscribeOptions;
  isActive: boolean;
  /** Whether it was told of the join that covers it now. Publications come only after that. */
  isJoined: boolean;
}

/** What keeps a grant's subscription on the transport. */
export interface Attachment {
  /** The one in use; a renewal replaces it. */
  token: string;
  leave: Unsubscribe;
}

/** What the records of a connection share. */
interface RecordContext {
  readonly report: (error: RealtimeError) => void;
  /** Those who want the messages of all channels. */
  readonly messageHandlers: ReadonlySet<MessageHandler>;
  readonly observers: Observers<ManagerEvent>;
  readonly now: () => number;
  /** Reasons that were reported already. */
  readonly knownFaults: Set<string>;
}

const MAX_KNOWN_FAULTS = 100;

/** One channel: its state, its place in the stream, and those who listen. Fans out; never throws. */
export class ChannelRecord {
  readonly channel: string;
  /** The subscription made with a grant; `null` where there is none, or the connection itself carries the channel. */
  attachment: Attachment | null = null;
  /** The broker joined the connection to it, without a subscription of ours. */
  isByConnection = false;
  /** A grant is being fetched. */
  isAsking = false;
  /** Refused on this side, because the connection is full. */
  isOverLimit = false;
  readonly #context: RecordContext;
  readonly #registrations = new Set<Registration>();
  #state: ChannelState = 'waiting';
  #position: Position | null = null;
  #loss: ChannelLoss | null = null;
  #lastJoin: TransportJoin | null = null;
  #since: Position | undefined;

  constructor(channel: string, context: RecordContext) {
    this.channel = channel;
    this.#context = context;
  }

  get isWanted(): boolean {
    return this.#registrations.size > 0;
  }

  get isCovered(): boolean {
    return isCovered(this.#state);
  }

  get isFinal(): boolean {
    return isFinal(this.#state);
  }

  /** Where the first join shall recover from; given out once. */
  takeSince(): Position | undefined {
    const since = this.#since;
    this.#since = undefined;
    return since;
  }

  add(handler: MessageHandler, options: SubscribeOptions): Unsubscribe {
    const registration: Registration = { handler, options, isActive: true, isJoined: false };
    if (!this.isWanted) this.#since = options.since;
    this.#registrations.add(registration);
    if (this.isCovered || this.isFinal) queueMicrotask(() => this.#catchUp(registration));
    return () => {
      registration.isActive = false;
      this.#registrations.delete(registration);
    };
  }

  /** Ends every registration, also for what is being delivered at this moment. */
  close(): void {
    for (const registration of this.#registrations) registration.isActive = false;
    this.#registrations.clear();
  }

  inspect(): Omit<ChannelSnapshot, 'by' | 'expiresAt'> {
    const bindings = [...this.#registrations].filter(({ options }) => options.isAutomatic).length;
    return {
      name: this.channel,
      state: this.#state,
      position: this.#position,
      isRecovered: this.#lastJoin?.wasRecovering ? this.#lastJoin.recovered : null,
      subscribers: this.#registrations.size - bindings,
      bindings,
      refusal: this.#loss?.kind === 'refused' ? this.#loss.error.message : null,
    };
  }

  joined(join: TransportJoin): void {
    this.#fire('join');
    this.#loss = null;
    this.#lastJoin = join;
    this.isOverLimit = false;
    this.#position = join.position;
    this.#tell(() => ({ type: 'joined', at: this.#context.now(), channel: this.channel, ...join }));
    for (const registration of [...this.#registrations]) this.#tellJoin(registration, join);
  }

  published(from: TransportPublication): void {
    if (!this.isCovered) return;
    const { offset } = from;
    if (offset !== null && this.#position) {
      if (offset <= this.#position.offset) return; // delivered before
      this.#position = { epoch: this.#position.epoch, offset };
    }
    const publication = toPublication(this.channel, this.#position?.epoch ?? null, from);
    const parsed = parseMessage(from.data);
    this.#tell(() => ({
      type: 'publication',
      at: this.#context.now(),
      channel: this.channel,
      position: publication.position,
      recovered: from.recovered,
      message: parsed.ok ? parsed.message : null,
      tags: from.tags,
    }));
    const isOnlyAutomatic =
      this.#registrations.size > 0 && [...this.#registrations].every(({ options }) => options.isAutomatic);
    for (const registration of [...this.#registrations]) {
      // Asked anew for each: a handler before it may have ended this one.
      if (!registration.isActive || !registration.isJoined) continue;
      const { handler, options } = registration;
      if (parsed.ok) this.#guard(() => handler(parsed.message, publication));
      else if (options.onUnknown) this.#guard(() => options.onUnknown?.(from.data, publication));
      else this.#reportUnknown(parsed.reason);
    }
    if (parsed.ok && !isOnlyAutomatic)
      for (const handler of [...this.#context.messageHandlers]) this.#guard(() => handler(parsed.message, publication));
  }

  presenceChanged(): void {
    for (const { options, isJoined } of [...this.#registrations])
      if (isJoined) this.#guard(() => options.onPresenceChange?.());
  }

  dropped(): void {
    if (this.isCovered) this.#lose('drop', { channel: this.channel, kind: 'dropped' });
  }

  refuse(error: Extract<ChannelLoss, { kind: 'refused' }>['error']): void {
    if (this.isFinal) return;
    if (this.isWanted && [...this.#registrations].some(({ options }) => !options.onLoss)) this.#context.report(error);
    this.#lose('refuse', { channel: this.channel, kind: 'refused', error });
  }

  ended(brokerCode: number | null): void {
    if (!this.isFinal) this.#lose('end', { channel: this.channel, kind: 'unsubscribed', brokerCode });
  }

  asked(): void {
    this.#fire('ask');
  }

  permitted(): void {
    this.#fire('permit');
    this.isOverLimit = false;
  }

  #fire(event: ChannelEvent): void {
    this.#state = nextChannelState(this.#state, event);
  }

  #lose(event: ChannelEvent, loss: ChannelLoss): void {
    this.#fire(event);
    this.#loss = loss;
    this.#tell(() => ({
      type: 'lost',
      at: this.#context.now(),
      channel: this.channel,
      kind: loss.kind,
      brokerCode:
        loss.kind === 'refused' ? loss.error.brokerCode : loss.kind === 'unsubscribed' ? loss.brokerCode : null,
      reason: loss.kind === 'refused' ? loss.error.message : null,
    }));
    for (const registration of [...this.#registrations]) this.#tellLoss(registration, loss);
  }

  #tell(make: () => ManagerEvent): void {
    if (this.#context.observers.size) tell(this.#context.observers, make());
  }

  /** A registration that came to a joined channel learns where the stream stands now; what came before it is not its own. */
  #catchUp(registration: Registration): void {
    if (!registration.isActive || registration.isJoined) return;
    if (this.isCovered)
      this.#tellJoin(registration, { position: this.#position, recovered: false, wasRecovering: false });
    else if (this.isFinal && this.#loss) this.#tellLoss(registration, this.#loss);
  }

  #tellJoin(registration: Registration, join: TransportJoin): void {
    if (!registration.isActive) return;
    registration.isJoined = true;
    const told: ChannelJoin = { channel: this.channel, ...join };
    this.#guard(() => registration.options.onJoin?.(told));
  }

  #tellLoss(registration: Registration, loss: ChannelLoss): void {
    // Whoever was not told of the join has lost nothing by a drop.
    if (!registration.isActive || (loss.kind === 'dropped' && !registration.isJoined)) return;
    registration.isJoined = false;
    this.#guard(() => registration.options.onLoss?.(loss));
  }

  /** One handler's fault is its own: the others get their message, and the SDK's loop goes on. */
  #guard(call: () => unknown): void {
    const failed = (cause: unknown) =>
      this.#context.report(
        new RealtimeError('handler_failed', `A handler of channel ${this.channel} threw.`, { cause }),
      );
    try {
      const result = call();
      if (result instanceof Promise) result.catch(failed);
    } catch (cause) {
      failed(cause);
    }
  }

  #reportUnknown(reason: string): void {
    const { knownFaults, report } = this.#context;
    if (knownFaults.has(reason) || knownFaults.size >= MAX_KNOWN_FAULTS) return;
    knownFaults.add(reason);
    report(new InvalidMessageError(`A publication in ${this.channel} was skipped: ${reason}. Reported once per kind.`));
  }
}
