import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Server, WebSocket, WebSocketServer } from 'ws';
import type { Engine } from '../core/engine.ts';
import type { Peer } from '../core/peer.ts';
import { Session } from '../core/session.ts';
import type { ByteString } from '../protocol/byte-string.ts';
import { type Disconnect, Disconnects } from '../protocol/codes.ts';
import type { Encoding } from '../protocol/encoding.ts';
import { type Flusher, type Lineage, Outbox, type OutboxOwner } from './outbox.ts';
import { websocketFrame } from './websocket-frame.ts';

/** Sub-protocols that clients may ask for. */
const SUBPROTOCOLS = ['centrifuge-json'];
/** Bytes that may wait on a socket when a pong is added. */
const MAX_UNSENT_PONG_BYTES = 16 * 1024;
/** How long a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5000;
/** The same for one that does not read: it will not answer. */
const SLOW_CLOSE_TIMEOUT_MS = 1000;

/** A `ws` socket that knows its peer, so that listeners need no closure per connection. */
class PeerSocket extends WebSocket {
  peer: WebSocketPeer | undefined = undefined;
}

/**
 * A client on a WebSocket. `ws` reads; frames are written to the socket below it, which is safe while `perMessageDeflate` is off,
 * because `ws` then writes each of its own frames (pong, close) in one synchronous piece.
 */
class WebSocketPeer implements Peer, OutboxOwner {
  readonly transport = 'websocket';
  readonly isUnidirectional = false;
  readonly isEmulation = false;
  readonly encoding: Encoding;
  readonly session: Session;
  readonly #webSocket: PeerSocket;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #peers: Set<WebSocketPeer>;

  constructor(
    engine: Engine,
    webSocket: PeerSocket,
    socket: Socket,
    flusher: Flusher,
    lineage: Lineage,
    encoding: Encoding,
    peers: Set<WebSocketPeer>,
  ) {
    this.encoding = encoding;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#peers = peers;
    this.#outbox = new Outbox(socket, flusher, lineage, engine.settings.client.queueMaxSize, this);
    this.session = new Session(engine, this);
    peers.add(this);
  }

  get isReading(): boolean {
    return !this.#outbox.isBlocked && this.#socket.writableLength < MAX_UNSENT_PONG_BYTES;
  }

  overflowed(): void {
    this.session.close(Disconnects.Slow);
  }

  /** The connection is closed. */
  gone(): void {
    this.#peers.delete(this);
    this.session.close(undefined);
  }

  push(message: ByteString, isUrgent: boolean): void {
    this.#outbox.push(message, isUrgent);
  }

  close({ code, reason }: Disconnect): void {
    const isSlow = code === Disconnects.Slow.code;
    this.#outbox.close(!isSlow);
    const webSocket = this.#webSocket;
    if (webSocket.isPaused) webSocket.resume();
    // A code outside these ranges must not stand in a close frame; the client then sees the transport end.
    const isSendable = code >= 3000 && code < 5000 && code !== Disconnects.ConnectionClosed.code;
    if (!isSendable || Buffer.byteLength(reason) > 123) {
      this.terminate();
      return;
    }
    webSocket.close(code, reason);
    const timeoutMs = isSlow ? SLOW_CLOSE_TIMEOUT_MS : CLOSE_TIMEOUT_MS;
    const cancel = this.session.engine.surroundings.clock.after(timeoutMs, () => webSocket.terminate());
    webSocket.once('close', cancel);
  }

  terminate(): void {
    this.#outbox.close(false);
    this.#webSocket.terminate();
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }
}

function onMessage(this: WebSocket, data: WebSocket.RawData): void {
  // With the default `binaryType` of a server, `ws` hands over one Buffer.
  if (this instanceof PeerSocket && Buffer.isBuffer(data)) this.peer?.session.receive(data);
}

/** Pongs are not queued for a client that does not read: its pings would fill the memory. */
function onPing(this: WebSocket, data: Buffer): void {
  if (this instanceof PeerSocket && this.peer?.isReading) this.pong(data);
}

function onClose(this: WebSocket): void {
  if (this instanceof PeerSocket) this.peer?.gone();
}

/** `ws` has already answered the breach with its own close code; 'close' follows. */
function onError(): void {}

/** Accepts WebSocket upgrades. */
export class WebSocketEdge {
  readonly #engine: Engine;
  readonly #flusher: Flusher;
  readonly #server: Server<typeof PeerSocket>;
  readonly #lineages = new Map<Encoding, Lineage>();
  readonly #peers = new Set<WebSocketPeer>();

  constructor(engine: Engine, flusher: Flusher) {
    this.#engine = engine;
    this.#flusher = flusher;
    this.#server = new WebSocketServer<typeof PeerSocket>({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      // JSON is looked at anyway; malformed UTF-8 in it is repaired, not refused.
      skipUTF8Validation: true,
      handleProtocols: (protocols) => SUBPROTOCOLS.find((protocol) => protocols.has(protocol)) ?? false,
      maxPayload: engine.settings.websocket.messageSizeLimit,
      WebSocket: PeerSocket,
    });
  }

  /** Connections that are open, also those that have not connected yet. */
  get size(): number {
    return this.#peers.size;
  }

  /** Tells all clients that the server is going down. */
  shutDown(): void {
    for (const { session } of this.#peers) session.shutDown();
  }

  #lineage(encoding: Encoding): Lineage {
    let lineage = this.#lineages.get(encoding);
    if (!lineage) {
      const { isBinary, separator } = encoding;
      lineage = this.#flusher.lineage((messages) => websocketFrame(isBinary, messages.join(separator)));
      this.#lineages.set(encoding, lineage);
    }
    return lineage;
  }

  /** Upgrades a request whose path, origin and limits have been checked. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, encoding: Encoding): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.peer = new WebSocketPeer(
        this.#engine,
        webSocket,
        socket,
        this.#flusher,
        this.#lineage(encoding),
        encoding,
        this.#peers,
      );
      webSocket.on('message', onMessage);
      webSocket.on('ping', onPing);
      webSocket.on('close', onClose);
      webSocket.on('error', onError);
    });
  }
}
