import type { Message } from '../core/message.ts';
import type { PublishOutcome } from './publish-command.ts';

/** What became of one `publish` or `publishMany`. */
export interface PublishReport {
  /** As it was given to `publish`; the spread that was added to it is not shown. */
  readonly message: Message;
  /** One per channel. */
  readonly outcomes: readonly PublishOutcome[];
  /** 1, or 2 after a retry. */
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** From the call to its answer, waiting and retry included. */
  readonly durationMs: number;
}

/** The type of `onPublish`. It runs after the answer is known and delays nobody. */
export type PublishObserver = (report: PublishReport) => void;

/** An observer that cannot break a publish: what it throws is printed. */
export function safeObserver(observer: PublishObserver): PublishObserver {
  return (report) => {
    try {
      observer(report);
    } catch (error) {
      console.error('[@op/realtime] onPublish threw.', error);
    }
  };
}
