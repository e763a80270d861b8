import { RealtimeManager } from '@op/realtime/client';
import { PausableWebSocket } from '../chaos/pausable-socket.ts';
import { trpcClient } from '../trpc.ts';

/** Once at start-up, as soon as it is known who the window is. The socket opens with the first subscription. */
export function initializeRealtime(): void {
  RealtimeManager.initialize({
    wsUrl: process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL!,
    getToken: async () => {
      const result = await trpcClient.realtime.getToken.query();
      return result.token;
    },
    websocket: PausableWebSocket, // only so that the chaos drawer can cut it
    getChannelTokens: (channels) => trpcClient.realtime.getChannelTokens.query({ channels: [...channels] }),
  });
}
