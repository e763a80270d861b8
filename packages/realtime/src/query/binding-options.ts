import type { Clock, Random } from '../core/clock.ts';
import type { Answers } from './answers.ts';
import type { FocusSource, OnlineSource } from './page.ts';
import type { RefetchOptions } from './refetcher.ts';

/** How a binding refetches (`RefetchOptions`) and what it is made of. All have defaults. */
export interface BindingOptions extends Partial<RefetchOptions> {
  /** @default the document's visibility */
  readonly focusManager?: FocusSource;
  /** @default `navigator.onLine` */
  readonly onlineManager?: OnlineSource;
  /** How long a channel stays joined after its last active query. @default 30_000 */
  readonly leaveGraceMs?: number;
  /** Where the answers' metadata comes from: the same as for `realtimeLink`. @default one per tab */
  readonly answers?: Answers;
  /** For tests. @default the machine's clock */
  readonly clock?: Clock;
  /** Draws slots and jitter. @default Math.random */
  readonly random?: Random;
}
