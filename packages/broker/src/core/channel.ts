import type { ResolvedChannelOptions } from './channel-options.ts';
import type { ChannelStream } from './stream.ts';
import type { Subscription } from './subscription.ts';

/** A channel that somebody subscribes to or that has a stream. */
export class Channel {
  readonly name: string;
  readonly options: ResolvedChannelOptions;
  readonly subscribers = new Set<Subscription>();
  stream: ChannelStream | undefined = undefined;
  constructor(name: string, options: ResolvedChannelOptions) {
    this.name = name;
    this.options = options;
  }

  /** Whether nothing would be lost by forgetting it. */
  get isIdle(): boolean {
    return this.subscribers.size === 0 && this.stream === undefined;
  }
}
