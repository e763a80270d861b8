import type { MessageHandler, RealtimeClient, SubscribeOptions, Unsubscribe } from '../client/types.ts';
import type { ChannelRefusedError } from '../core/errors.ts';

/** Whether the messages of a channel arrive. */
export interface ChannelStatus {
  /**
   * - `joining`: asked; also without a channel, and on a server.
   * - `joined`: every message arrives from here on.
   * - `dropped`: the connection is away, and trying again.
   * - `refused`: not allowed; see `error`. `ended`: the broker took it away. Both end with a new permission.
   */
  readonly state: 'joining' | 'joined' | 'dropped' | 'refused' | 'ended';
  /** Why it is `refused`; else `null`. */
  readonly error: ChannelRefusedError | null;
}

export const JOINING: ChannelStatus = { state: 'joining', error: null };

/** What a component listens with; the newest counts. */
export interface ChannelHandlers extends Pick<SubscribeOptions, 'onJoin' | 'onLoss' | 'onPresenceChange'> {
  /** Called with each message. */
  readonly onMessage?: MessageHandler | undefined;
}

/** One subscription as a store for `useSyncExternalStore`: it lasts as long as somebody is subscribed to the store. */
export class ChannelStore {
  handlers: ChannelHandlers = {};
  readonly #manager: RealtimeClient;
  readonly #channel: string | null | undefined;
  #status = JOINING;

  constructor(manager: RealtimeClient, channel: string | null | undefined) {
    this.#manager = manager;
    this.#channel = channel;
  }

  readonly status = (): ChannelStatus => this.#status;

  readonly subscribe = (notify: () => void): Unsubscribe => {
    if (!this.#channel) return () => {};
    const become = (status: ChannelStatus) => {
      this.#status = status;
      notify();
    };
    const end = this.#manager.subscribe(this.#channel, (...message) => this.handlers.onMessage?.(...message), {
      onJoin: (join) => {
        become({ state: 'joined', error: null });
        this.handlers.onJoin?.(join);
      },
      onLoss: (loss) => {
        become({
          state: loss.kind === 'unsubscribed' ? 'ended' : loss.kind,
          error: loss.kind === 'refused' ? loss.error : null,
        });
        this.handlers.onLoss?.(loss);
      },
      onPresenceChange: () => this.handlers.onPresenceChange?.(),
    });
    return () => {
      end();
      this.#status = JOINING;
    };
  };
}
