import { type ChannelDelivery, type ChannelName, Channels } from '../../core/channel.ts';

/** What `defineChannels` returned. */
export type ChannelDefinitions = Readonly<
  Record<string, { readonly scope: string; readonly delivery: ChannelDelivery }>
>;

/** Tells which channels the connection token carries; of those, and of no others, there are never grants. `Channels` is known. */
export function connectionChannels(own: ChannelDefinitions = {}): (channel: ChannelName) => boolean {
  const definitions = [...Object.values(Channels), ...Object.values(own)];
  const scopes = new Set(definitions.filter(({ delivery }) => delivery === 'connection').map(({ scope }) => scope));
  return (channel) => scopes.has(channel.split(':')[1] ?? '');
}
