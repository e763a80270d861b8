/** The window's sockets, with a switch that works like a pulled cable: what is open closes, what is opened fails. */
const open = new Set<WebSocket>();
let isUnplugged = false;

/** The browser's WebSocket while the cable is in. */
export const PausableWebSocket: typeof WebSocket = new Proxy(WebSocket, {
  construct(target, args) {
    if (isUnplugged) return new DeadSocket();
    const socket: WebSocket = Reflect.construct(target, args);
    open.add(socket);
    socket.addEventListener('close', () => open.delete(socket));
    return socket;
  },
});

export function setUnplugged(unplugged: boolean): void {
  isUnplugged = unplugged;
  if (unplugged) for (const socket of open) socket.close();
}

/** A socket that never opens: the part of the interface that a client which loses its connection touches. */
class DeadSocket {
  readonly readyState = WebSocket.CLOSED;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  constructor() {
    setTimeout(() => {
      this.onerror?.(new Event('error'));
      this.onclose?.(new CloseEvent('close', { code: 1006 }));
    });
  }

  close(): void {}
  send(): void {}
}
