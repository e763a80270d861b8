import { expectTypeOf } from 'vitest';
import { defineChannels } from '../core/channel.ts';
import type { RealtimeError } from '../core/errors.ts';
import type { Realtime } from '../server/realtime.ts';
import { RealtimeManager } from './realtime-manager.ts';
import type { ChannelTokens, ConnectionState, RealtimeClient, RealtimeConfig, Unsubscribe } from './types.ts';

// What users of the manager see. The compiler is the test.
declare const config: RealtimeConfig;
const manager = RealtimeManager.initialize(config);
expectTypeOf(manager).toExtend<RealtimeClient>();
expectTypeOf(RealtimeManager.getInstance()).toEqualTypeOf<RealtimeManager>();
expectTypeOf(manager.status.state).toEqualTypeOf<ConnectionState>();
expectTypeOf(manager.status.reason).toEqualTypeOf<RealtimeError | null>();

// Messages narrow by their type; a loss by its kind.
const unsubscribe = manager.subscribe(
  'trpc:user:123',
  (message, { position }) => {
    if (message.type === 'event') expectTypeOf(message.name).toEqualTypeOf<string>();
    if (message.type === 'query-invalidation') expectTypeOf(message.queryKey).toEqualTypeOf<readonly unknown[]>();
    expectTypeOf(position?.offset).toEqualTypeOf<number | undefined>();
  },
  {
    onLoss: (loss) => {
      if (loss.kind === 'refused') expectTypeOf(loss.error.brokerCode).toEqualTypeOf<number | null>();
      // @ts-expect-error: a drop has no error
      if (loss.kind === 'dropped') loss.error;
    },
  },
);
expectTypeOf(unsubscribe).toEqualTypeOf<Unsubscribe>();
expectTypeOf(unsubscribe).returns.toEqualTypeOf<void>();

// What the server issues is what getChannelTokens may answer, and tokens by channel as well.
expectTypeOf<Awaited<ReturnType<Realtime['createChannelTokens']>>>().toExtend<ChannelTokens>();
expectTypeOf<Record<string, string | null>>().toExtend<ChannelTokens>();

// Builders of defineChannels are what `channels` takes; getToken may say "nobody".
RealtimeManager.initialize({
  wsUrl: 'wss://example.com/connection/websocket',
  getToken: async () => null,
  channels: defineChannels({ team: { ids: ['teamId'], delivery: 'connection' } }),
  websocket: WebSocket,
});
// @ts-expect-error: getToken is needed
RealtimeManager.initialize({ wsUrl: 'wss://example.com/connection/websocket' });
