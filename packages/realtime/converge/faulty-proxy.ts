import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that behaves like a bad network, on command. Bytes are never lost or reordered inside a connection, as TCP promises; everything else may happen. */
export class FaultyProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #delayMs = 0;
  #isStalled = false;
  #isRefusing = false;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#accept(client, targetPort));
  }

  static async listen(targetPort: number): Promise<FaultyProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyProxy(server, targetPort);
  }

  /** Resets every connection. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** While on, new connections are reset; the others stay. */
  refuse(on: boolean): void {
    this.#isRefusing = on;
  }

  /** While on, nothing passes in either direction and nobody is told: a half-open connection. */
  stall(on: boolean): void {
    this.#isStalled = on;
    for (const pair of this.#pairs) for (const socket of pair) on ? socket.pause() : socket.resume();
  }

  /** Every chunk from now on takes this long, in order. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** A good network again. */
  heal(): void {
    this.refuse(false);
    this.delay(0);
    this.stall(false);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, targetPort: number): void {
    if (this.#isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort, host: '127.0.0.1' });
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    this.#forward(client, target);
    this.#forward(target, client);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        target.destroy();
      });
    }
    if (!this.#isStalled) client.resume();
    else target.pause();
  }

  #forward(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.on('data', (chunk) => {
      const delayMs = this.#delayMs;
      last = last.then(async () => {
        if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
        to.write(chunk);
      });
    });
  }
}
