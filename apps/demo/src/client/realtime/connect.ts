import { RealtimeManager } from '@op/realtime/client';
import { bindQueryClient } from '@op/realtime/query';
import { PausableWebSocket } from '../chaos/pausable-socket.ts';
import { queryClient, trpcClient } from '../trpc.ts';

/** Once at start-up, as soon as it is known who the window is. The socket opens when the first answer names a channel. */
export function connectRealtime(): void {
  const manager = RealtimeManager.initialize({
    wsUrl: process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL!,
    getToken: async () => {
      const result = await trpcClient.realtime.getToken.query();
      return result.token;
    },
    websocket: PausableWebSocket, // only so that the chaos drawer can cut it
    getChannelTokens: (channels) => trpcClient.realtime.getChannelTokens.query({ channels: [...channels] }),
  });
  bindQueryClient(queryClient, manager);
}
