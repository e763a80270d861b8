import WebSocket, { type ClientOptions } from 'ws';
import { WireClient, within } from './wire-client.ts';

export interface WireOptions {
  /** @default /connection/websocket */
  readonly path?: string;
  readonly subprotocol?: string;
  readonly headers?: Record<string, string>;
  /** Whether server pings are answered. @default true */
  readonly pong?: boolean;
  readonly ws?: ClientOptions;
}

/** A bare WebSocket that speaks JSON frames: what a scenario sends is sent as it is. */
export class SocketClient extends WireClient {
  /** The WebSocket messages that came, in order: a frame may hold several lines. */
  readonly frames: string[] = [];
  readonly socket: WebSocket;

  private constructor(socket: WebSocket, pong: boolean) {
    super(pong);
    this.socket = socket;
    socket.once('close', (code, reason) => this.ended({ code, reason: reason.toString() }));
    socket.on('error', (error) => this.transcript.push(`error ${error.message}`));
    socket.on('message', (data) => {
      const text = data.toString();
      this.frames.push(text);
      for (const line of text.split('\n')) if (line !== '') this.receive(line);
    });
  }

  /** Opens the socket and says nothing yet. */
  static async open(node: string, options: WireOptions = {}): Promise<SocketClient> {
    const socket = openSocket(node, options);
    const client = new SocketClient(socket, options.pong ?? true);
    await opened(socket);
    return client;
  }

  sendText(text: string): void {
    this.transcript.push(`-> ${text.slice(0, 500)}`);
    this.socket.send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.transcript.push(`-> ${bytes.length} bytes`);
    this.socket.send(bytes);
  }

  close(): void {
    this.socket.terminate();
  }
}

export function openSocket(node: string, options: WireOptions): WebSocket {
  const url = `${node.replace(/^http/, 'ws')}${options.path ?? '/connection/websocket'}`;
  return new WebSocket(url, options.subprotocol ? [options.subprotocol] : [], {
    headers: options.headers,
    ...options.ws,
  });
}

export async function opened(socket: WebSocket): Promise<void> {
  await within(
    new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }),
    'the socket to open',
  );
}
