import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Server, WebSocket, WebSocketServer } from 'ws';
import type { Engine } from '../core/engine.ts';
import type { Peer, TransportHeaders } from '../core/peer.ts';
import { Session } from '../core/session.ts';
import { type ByteString, jsonBytes } from '../protocol/byte-string.ts';
import { type Disconnect, Disconnects } from '../protocol/codes.ts';
import type { Encoding } from '../protocol/encoding.ts';
import { jsonEncoding, unidirectionalJsonEncoding } from '../protocol/json-encoding.ts';
import { decodeJson } from '../protocol/json-message.ts';
import { protobufEncoding } from '../protocol/protobuf-encoding.ts';
import { ConnectRequest } from '../protocol/schema.ts';
import { type Flusher, type Lineage, Outbox, type OutboxOwner } from './outbox.ts';
import { transportHeaders } from './transport-headers.ts';
import { websocketFrame } from './websocket-frame.ts';

const PROTOBUF_SUBPROTOCOL = 'centrifuge-protobuf';
/** Sub-protocols that clients may ask for. */
const SUBPROTOCOLS = ['centrifuge-json', PROTOBUF_SUBPROTOCOL];
/** Bytes that may wait on a socket when a pong is added. */
const MAX_UNSENT_PONG_BYTES = 16 * 1024;
/** How long a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5000;
/** The same for one that does not read: it will not answer. */
const SLOW_CLOSE_TIMEOUT_MS = 1000;

/** What all connections of one kind share. */
interface WebSocketKind {
  readonly transport: 'websocket' | 'uni_websocket';
  readonly isUnidirectional: boolean;
  readonly encoding: Encoding;
  readonly lineage: Lineage;
}

/** A `ws` socket that knows its peer, so that listeners need no closure per connection. */
class PeerSocket extends WebSocket {
  peer: WebSocketPeer | undefined = undefined;
}

/**
 * A client on a WebSocket. `ws` reads; frames are written to the socket below it, which is safe while `perMessageDeflate` is off,
 * because `ws` then writes each of its own frames (pong, close) in one synchronous piece.
 */
class WebSocketPeer implements Peer, OutboxOwner {
  readonly transport: string;
  readonly isUnidirectional: boolean;
  readonly isEmulation = false;
  readonly refusedCloseDelayMs = CLOSE_TIMEOUT_MS;
  readonly encoding: Encoding;
  readonly headers: TransportHeaders;
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
    kind: WebSocketKind,
    headers: TransportHeaders,
    peers: Set<WebSocketPeer>,
  ) {
    this.headers = headers;
    this.transport = kind.transport;
    this.isUnidirectional = kind.isUnidirectional;
    this.encoding = kind.encoding;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#peers = peers;
    this.#outbox = new Outbox(socket, flusher, kind.lineage, engine.settings.client.queueMaxSize, this);
    this.session = new Session(engine, this);
    peers.add(this);
  }

  get isReading(): boolean {
    return !this.#outbox.isBlocked && this.#socket.writableLength < MAX_UNSENT_PONG_BYTES;
  }

  overflowed(): void {
    this.session.close(Disconnects.Slow);
  }

  /** A frame from the client. One that only listens sends its connect request and nothing more. */
  receive(frame: Buffer): void {
    if (!this.isUnidirectional) this.session.receive(frame);
    else if (this.session.state === 'waiting') this.connect(frame);
  }

  /** Connects a client that only listens. */
  connect(request: Buffer): void {
    const connect = decodeJson(ConnectRequest, jsonBytes(request));
    if (connect) this.session.connect(connect);
    else this.session.close(Disconnects.BadRequest);
  }

  /** The connection is closed. */
  gone(): void {
    this.#peers.delete(this);
    this.session.close(undefined);
  }

  push(message: ByteString, isUrgent: boolean): void {
    this.#outbox.push(message, isUrgent);
  }

  close({ code: given, reason }: Disconnect): void {
    // A close frame has 16 bits for it.
    const code = given % 65_536;
    // Those that only listen are told by a push too.
    if (this.isUnidirectional) this.push(this.encoding.encodePush({ disconnect: { code: given, reason } }), true);
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
  if (this instanceof PeerSocket && Buffer.isBuffer(data)) this.peer?.receive(data);
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
  readonly #unidirectionalServer: Server<typeof PeerSocket>;
  readonly #json: WebSocketKind;
  readonly #protobuf: WebSocketKind;
  readonly #unidirectional: WebSocketKind;
  readonly #peers = new Set<WebSocketPeer>();

  constructor(engine: Engine, flusher: Flusher) {
    this.#engine = engine;
    this.#flusher = flusher;
    const { websocket, uniWebsocket } = engine.settings;
    this.#server = createServer(websocket.messageSizeLimit, SUBPROTOCOLS);
    this.#unidirectionalServer = createServer(uniWebsocket.messageSizeLimit, []);
    const bidirectional = { transport: 'websocket', isUnidirectional: false } as const;
    const joined = ({ isBinary, separator }: Encoding) =>
      flusher.lineage((messages) => websocketFrame(isBinary, messages.join(separator)));
    this.#json = { ...bidirectional, encoding: jsonEncoding, lineage: joined(jsonEncoding) };
    this.#protobuf = { ...bidirectional, encoding: protobufEncoding, lineage: joined(protobufEncoding) };
    this.#unidirectional = {
      transport: 'uni_websocket',
      isUnidirectional: true,
      encoding: unidirectionalJsonEncoding,
      lineage: flusher.lineage((messages) => Buffer.concat(messages.map((message) => websocketFrame(false, message)))),
    };
  }

  /** Connections that are open, also those that have not connected yet. */
  get size(): number {
    return this.#peers.size;
  }

  /** Tells all clients that the server is going down. */
  shutDown(): void {
    for (const { session } of this.#peers) session.shutDown();
  }

  /**
   * Upgrades a request whose path, origin and limits have been checked.
   * @param query asks for Protobuf with `cf_protocol=protobuf`; so does the sub-protocol
   */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, query: string): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const isProtobuf = webSocket.protocol === PROTOBUF_SUBPROTOCOL || wantsProtobuf(query);
      this.#open(webSocket, request, isProtobuf ? this.#protobuf : this.#json);
    });
  }

  /** The same for a client that only listens; its connect request may stand in the query. */
  acceptUnidirectional(request: IncomingMessage, socket: Socket, head: Buffer, query: string): void {
    this.#unidirectionalServer.handleUpgrade(request, socket, head, (webSocket) => {
      const peer = this.#open(webSocket, request, this.#unidirectional);
      const connect = new URLSearchParams(query).get('cf_connect');
      if (connect) peer.connect(Buffer.from(connect));
    });
  }

  #open(webSocket: PeerSocket, request: IncomingMessage, kind: WebSocketKind): WebSocketPeer {
    const headers = transportHeaders(request, this.#engine.settings.proxies.httpHeaders);
    const peer = new WebSocketPeer(this.#engine, webSocket, request.socket, this.#flusher, kind, headers, this.#peers);
    webSocket.peer = peer;
    webSocket.on('message', onMessage);
    webSocket.on('ping', onPing);
    webSocket.on('close', onClose);
    webSocket.on('error', onError);
    return peer;
  }
}

function createServer(maxPayload: number, subprotocols: readonly string[]): Server<typeof PeerSocket> {
  return new WebSocketServer<typeof PeerSocket>({
    noServer: true,
    clientTracking: false,
    // Frames are written below ws, which is safe only without compression.
    perMessageDeflate: false,
    autoPong: false,
    // JSON is looked at anyway; malformed UTF-8 in it is repaired, not refused.
    skipUTF8Validation: true,
    handleProtocols: (protocols) => subprotocols.find((protocol) => protocols.has(protocol)) ?? false,
    maxPayload,
    WebSocket: PeerSocket,
  });
}

function wantsProtobuf(query: string): boolean {
  if (query === '') return false;
  const parameters = new URLSearchParams(query);
  return parameters.get('cf_protocol') === 'protobuf' || parameters.get('format') === 'protobuf';
}
