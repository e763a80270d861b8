import { RealtimeManager as BaseManager } from './realtime-manager.ts';
import type { WebSocketConstructor } from './types.ts';

/** The manager for Node: brings the `WebSocket` of `ws` where the runtime has none (Node 20). */
export class RealtimeManager extends BaseManager {
  protected override loadWebSocket(): Promise<WebSocketConstructor> | undefined {
    if (typeof globalThis.WebSocket === 'function') return undefined;
    return import('ws').then(({ WebSocket }) => WebSocket);
  }
}
