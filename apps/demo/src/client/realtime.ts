import { RealtimeManager } from '@op/realtime/client';
import { PausableWebSocket } from './chaos/pausable-socket.ts';
import { trpcClient } from './trpc.ts';

/** The window's one connection. It opens when the first answer names a channel. */
export const connectRealtime = () =>
  RealtimeManager.initialize({
    wsUrl: process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL!,
    getToken: async () => {
      const result = await trpcClient.realtime.getToken.query();
      return result.token;
    },
    getChannelTokens: (channels) => trpcClient.realtime.getChannelTokens.query({ channels: [...channels] }),
    websocket: PausableWebSocket, // only so that the chaos drawer can cut it
  });
