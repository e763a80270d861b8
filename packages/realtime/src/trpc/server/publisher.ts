import type { Clock } from '../../core/clock.ts';
import type { Message } from '../../core/message.ts';
import type { Position } from '../../core/position.ts';
import type { Realtime } from '../../server/realtime.ts';
import { type SpreadPolicy, spreadOf } from '../../server/spread.ts';
import { MAX_CHANNELS_PER_ANSWER, type TouchedChannel } from '../metadata.ts';
import type { FaultReporter } from './faults.ts';
import type { Touched } from './procedure-call.ts';

interface TouchPublisherOptions {
  readonly realtime: Pick<Realtime, 'publish'>;
  readonly positionWaitMs: number;
  /** `null`: `realtime` decides. */
  readonly spread: SpreadPolicy | null;
  readonly faults: FaultReporter;
  readonly clock: Clock;
}

/** Announces what mutations touched. Best effort: never rejects, and never waits longer than `positionWaitMs`. */
export class TouchPublisher {
  readonly #options: TouchPublisherOptions;

  constructor(options: TouchPublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes, and resolves with the positions that are known in time. Publishing goes on after that.
   *
   * @param keepAlive is handed the promise of all of it, where the runtime would otherwise end with the response
   */
  async publish(
    touched: readonly Touched[],
    path: string,
    keepAlive?: ((work: Promise<unknown>) => void) | undefined,
  ): Promise<readonly TouchedChannel[]> {
    const positions: (Position | null)[] = touched.map(() => null);
    const work = this.#publishAll(touched, path, positions);
    keepAlive?.(work);
    await this.#inTime(work);
    return touched
      .slice(0, MAX_CHANNELS_PER_ANSWER)
      .map(({ channel, message }, at) => ({ channel, message, position: positions[at] ?? null }));
  }

  /** All in one tick, so that they share a request and keep their order. Fills in the positions as they become known. */
  async #publishAll(touched: readonly Touched[], path: string, positions: (Position | null)[]): Promise<void> {
    const messages = await Promise.all(touched.map((touch) => this.#withSpread(touch)));
    await Promise.all(
      touched.map(async ({ channel, message }, at) => {
        try {
          positions[at] = (await this.#options.realtime.publish(channel, messages[at] ?? message)).position;
        } catch (error) {
          this.#options.faults.report('publish', path, error);
        }
      }),
    );
  }

  async #withSpread({ channel, message }: Touched): Promise<Message> {
    const { spread, faults } = this.#options;
    if (!spread || message.type === 'event' || message.spreadMs !== undefined) return message;
    const failed = (error: unknown) => faults.report('spread', null, error);
    // Also 0 is written down: it is this policy that decides, not the one of `realtime`.
    return { ...message, spreadMs: await spreadOf(spread, [channel], message, failed) };
  }

  #inTime(work: Promise<unknown>): Promise<void> {
    const { clock, positionWaitMs } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.after(positionWaitMs, resolve);
      void work.finally(() => {
        cancel();
        resolve();
      });
    });
  }
}
