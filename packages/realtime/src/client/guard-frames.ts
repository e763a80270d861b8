type Listener = (event: unknown) => void;

/**
 * A WebSocket class whose `onmessage` cannot throw. The SDK parses a frame inside of it: one that is not JSON would throw into the
 * socket's event loop, which ends a Node process. Such a connection is closed instead, and the SDK makes a new one.
 *
 * @param onBadFrame told why, before the socket is closed
 * @param onFrame sees what each frame holds, before the SDK does
 */
export function guardFrames(
  socketClass: unknown,
  onBadFrame: (reason: string) => void,
  onFrame: (data: unknown) => void = () => {},
): unknown {
  if (typeof socketClass !== 'function') return socketClass;
  return new Proxy(socketClass, {
    construct: (target, args) => guardSocket(Reflect.construct(target, args) as object, onBadFrame, onFrame),
  });
}

function guardSocket(socket: object, onBadFrame: (reason: string) => void, onFrame: (data: unknown) => void): object {
  const guarded =
    (listener: Listener): Listener =>
    (event) => {
      try {
        onFrame((event as { data?: unknown }).data);
        listener(event);
      } catch {
        // The error would quote the frame, which may hold a token.
        onBadFrame('The broker sent a frame that is not JSON; the connection is made anew.');
        (socket as { close?: () => void }).close?.();
      }
    };
  return new Proxy(socket, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value: unknown) =>
      Reflect.set(target, key, key === 'onmessage' ? guarded(value as Listener) : value, target),
  });
}
