import { RealtimeManager as BaseManager, type ClientParts } from './realtime-manager.ts';

/** The manager for Node: brings the `WebSocket` of `ws` where the runtime has none (Node 20). */
export class RealtimeManager extends BaseManager {
  protected override async loadParts(): Promise<ClientParts> {
    const parts = await super.loadParts();
    if (typeof globalThis.WebSocket === 'function') return parts;
    const { WebSocket } = await import('ws');
    return { Connection: parts.Connection, websocket: WebSocket };
  }
}
