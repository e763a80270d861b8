import type { ChannelJoin, ChannelLoss, Publication, SubscribeOptions } from '../client/types.ts';
import type { Message } from '../core/message.ts';

/** What one subscription was told, in order, as short lines: `join 3`, `event a @4`, `loss dropped`. */
export interface Recorder {
  readonly lines: string[];
  readonly joins: ChannelJoin[];
  readonly losses: ChannelLoss[];
  readonly messages: Message[];
  readonly publications: Publication[];
  readonly handler: (message: Message, publication: Publication) => void;
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
