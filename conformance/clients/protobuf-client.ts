import type WebSocket from 'ws';
import { decodeReplies, encodeCommand } from './protobuf.ts';
import { opened, openSocket, type WireOptions } from './socket-client.ts';
import { WireClient } from './wire-client.ts';

/** A bare WebSocket that speaks Protobuf frames; to a scenario it looks as if it spoke JSON. */
export class ProtobufClient extends WireClient {
  readonly socket: WebSocket;

  private constructor(socket: WebSocket, pong: boolean) {
    super(pong);
    this.socket = socket;
    socket.once('close', (code, reason) => this.ended({ code, reason: reason.toString() }));
    socket.on('error', (error) => this.transcript.push(`error ${error.message}`));
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.transcript.push(`<- text instead of Protobuf: ${data.toString().slice(0, 100)}`);
      for (const line of decodeReplies(data as Buffer)) this.receive(line);
    });
  }

  /** @param options without more, the sub-protocol says that it is Protobuf */
  static async open(node: string, options: WireOptions = {}): Promise<ProtobufClient> {
    const socket = openSocket(node, { subprotocol: 'centrifuge-protobuf', ...options });
    const client = new ProtobufClient(socket, options.pong ?? true);
    await opened(socket);
    return client;
  }

  sendText(text: string): void {
    this.transcript.push(`-> ${text.slice(0, 500)}`);
    this.socket.send(encodeFrame(text));
  }

  sendBinary(bytes: Uint8Array): void {
    this.transcript.push(`-> ${bytes.length} bytes`);
    this.socket.send(bytes);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The commands of a text, one a line; a text that is none goes out as the bytes that it is. */
function encodeFrame(text: string): Buffer {
  const lines = text.split('\n').filter((line) => line !== '');
  try {
    return Buffer.concat(lines.map((line) => encodeCommand(JSON.parse(line) as object)));
  } catch {
    return Buffer.from(text);
  }
}
