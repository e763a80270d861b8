import type { ChannelName, Message } from '@op/realtime';
import type { Publisher } from '../src/server/realtime/announce.ts';

/** A publisher that writes down what would have gone out, one line each, in order. */
export interface Recorder extends Publisher {
  /** What was sent since the last call. */
  take(): string[];
}

export function createRecorder(): Recorder {
  let lines: string[] = [];
  const record = async (line: string) => void lines.push(line);
  return {
    publish: (channel: ChannelName, message: Message) =>
      record(`${channel} ${message.type === 'query-invalidation' ? JSON.stringify(message.queryKey) : message.type}`),
    revoke: (userId: string, channel?: ChannelName) => record(`revoke ${userId} ${channel ?? 'everything'}`),
    take() {
      const taken = lines;
      lines = [];
      return taken;
    },
  };
}
