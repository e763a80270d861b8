import type { ChannelJoin, ChannelLoss, Publication, SubscribeOptions } from '../client/types.ts';
import type { Message } from '../core/message.ts';

/** What one subscription was told, in order, as short lines: `join 3`, `event a @4`, `loss dropped`. */
export interface Recorder {
  /** One line per event, such as `join 0`, `event hello @1`, `loss dropped`. */
  readonly lines: string[];
  /** What `onJoin` was given. */
  readonly joins: ChannelJoin[];
  /** What `onLoss` was given. */
  readonly losses: ChannelLoss[];
  /** What the handler was given. */
  readonly messages: Message[];
  /** The publication of each message, at the same index. */
  readonly publications: Publication[];
  /** For `subscribe`. */
  readonly handler: (message: Message, publication: Publication) => void;
  /** For `subscribe`. */
  readonly options: Required<Pick<SubscribeOptions, 'onJoin' | 'onLoss'>>;
  /** Returns the lines so far and forgets them. */
  take(): string[];
}

/** Records a subscription: `manager.subscribe(channel, recorder.handler, recorder.options)`. */
export function createRecorder(): Recorder {
  const recorder: Recorder = {
    lines: [],
    joins: [],
    losses: [],
    messages: [],
    publications: [],
    handler: (message, publication) => {
      recorder.messages.push(message);
      recorder.publications.push(publication);
      const name = message.type === 'event' ? `event ${message.name}` : message.type;
      const place = publication.position ? ` @${publication.position.offset}` : '';
      recorder.lines.push(`${name}${place}${publication.recovered ? ' recovered' : ''}`);
    },
    options: {
      onJoin: (join) => {
        recorder.joins.push(join);
        const how = join.recovered ? ' recovered' : join.wasRecovering ? ' unrecovered' : '';
        recorder.lines.push(`join ${join.position?.offset ?? '-'}${how}`);
      },
      onLoss: (loss) => {
        recorder.losses.push(loss);
        recorder.lines.push(`loss ${loss.kind}`);
      },
    },
    take: () => recorder.lines.splice(0),
  };
  return recorder;
}
