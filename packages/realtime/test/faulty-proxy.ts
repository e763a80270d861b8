import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Both ends of one connection. */
interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  /** The client sent something, and nothing has come back since. */
  isWaiting: boolean;
  isAbandoned: boolean;
}

/** A TCP proxy that behaves like a bad network, on command. Bytes are never lost or reordered inside a connection, as TCP promises; everything else may happen. */
export class FaultyProxy {
  readonly port: number;
  /** Connections taken so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;
  #isStalled = false;
  #isHolding = false;
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

  /** Whether bytes pass as they should. */
  get isHealthy(): boolean {
    return !this.#isStalled && !this.#isHolding && !this.#isRefusing && !this.#delayMs;
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** While on, new connections are reset; the others stay. */
  refuse(on: boolean): void {
    this.#isRefusing = on;
  }

  /** While on, nothing passes in either direction and nobody is told: a half-open connection. */
  stall(on: boolean): void {
    this.#isStalled = on;
    for (const pair of this.#pairs) this.#flow(pair);
  }

  /** While on, requests arrive and answers do not. */
  hold(on: boolean): void {
    this.#isHolding = on;
    for (const pair of this.#pairs) this.#flow(pair);
  }

  /** Nothing passes any more on the connections that are open, and nobody is told; new ones work. @param which all, or those that wait for an answer */
  abandon(which: 'all' | 'waiting'): void {
    for (const pair of this.#pairs) {
      if (which === 'waiting' && !pair.isWaiting) continue;
      pair.isAbandoned = true;
      this.#flow(pair);
    }
  }

  /** Every chunk from now on takes this long, in order. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** A good network again. */
  heal(): void {
    this.refuse(false);
    this.delay(0);
    this.hold(false);
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
    this.accepted++;
    const target = connect({ port: targetPort, host: '127.0.0.1' });
    const pair: Pair = { client, target, isWaiting: false, isAbandoned: false };
    client.on('data', () => {
      pair.isWaiting = true;
    });
    target.on('data', () => {
      pair.isWaiting = false;
    });
    this.#pairs.add(pair);
    this.#forward(client, target);
    this.#forward(target, client);
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        target.destroy();
      });
    }
    this.#flow(pair);
  }

  #flow({ client, target, isAbandoned }: Pair): void {
    const isStopped = this.#isStalled || isAbandoned;
    isStopped ? client.pause() : client.resume();
    isStopped || this.#isHolding ? target.pause() : target.resume();
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
