import type { PresentClient, RealtimeClient, Unsubscribe } from '../client/types.ts';
import type { Clock } from '../core/clock.ts';
import { RealtimeError } from '../core/realtime-error.ts';

/** What a manager must be able to do beside subscriptions. `RealtimeManager` does. */
export interface PresenceClient extends RealtimeClient {
  presence(channel: string): Promise<readonly PresentClient[]>;
}

/** Who is in a channel, as far as it is known. */
export interface Presence {
  /** Who is there, one per connection. Empty until the first answer. */
  readonly clients: readonly PresentClient[];
  /** Whether `clients` is an answer, and the channel is still joined. */
  readonly isCurrent: boolean;
  /** Why there is no answer, such as 108 or 103 where the namespace has no presence or does not allow it. */
  readonly error: RealtimeError | null;
}

export const ABSENT: Presence = { clients: [], isCurrent: false, error: null };

/** People who come and go in one moment cost one question. */
const QUIET_MS = 250;

/** Who is in a channel: asked at every join, when somebody comes or goes where the namespace tells that, and from time to time. */
export class PresenceStore {
  readonly #manager: PresenceClient;
  readonly #channel: string | null | undefined;
  readonly #refreshMs: number;
  readonly #clock: Clock;
  #presence = ABSENT;
  #notify: () => void = () => {};
  #cancel: () => void = () => {};
  /** Counts questions, so that a late answer to a former one is not taken for the newest. */
  #asked = 0;

  constructor(manager: PresenceClient, channel: string | null | undefined, refreshMs: number, clock: Clock) {
    this.#manager = manager;
    this.#channel = channel;
    this.#refreshMs = refreshMs;
    this.#clock = clock;
  }

  readonly presence = (): Presence => this.#presence;

  readonly subscribe = (notify: () => void): Unsubscribe => {
    const channel = this.#channel;
    if (!channel) return () => {};
    this.#notify = notify;
    const end = this.#manager.subscribe(channel, () => {}, {
      onJoin: () => this.#ask(channel),
      onLoss: (loss) => {
        this.#stop();
        this.#become({ ...this.#presence, isCurrent: false, error: loss.kind === 'refused' ? loss.error : null });
      },
      onPresenceChange: () => this.#askIn(QUIET_MS, channel),
    });
    return () => {
      end();
      this.#stop();
      this.#presence = ABSENT;
      this.#notify = () => {};
    };
  };

  #stop(): void {
    this.#asked++;
    this.#cancel();
  }

  #askIn(delayMs: number, channel: string): void {
    this.#cancel();
    this.#cancel = this.#clock.after(delayMs, () => this.#ask(channel));
  }

  #ask(channel: string): void {
    this.#cancel();
    const question = ++this.#asked;
    const answered = (presence: Presence) => {
      if (question !== this.#asked) return;
      this.#become(presence);
      this.#askIn(this.#refreshMs, channel);
    };
    this.#manager.presence(channel).then(
      (clients) => answered({ clients, isCurrent: true, error: null }),
      (cause: unknown) =>
        answered({
          ...this.#presence,
          isCurrent: false,
          error: cause instanceof RealtimeError ? cause : new RealtimeError('broker_error', 'No presence.', { cause }),
        }),
    );
  }

  #become(presence: Presence): void {
    this.#presence = presence;
    this.#notify();
  }
}
