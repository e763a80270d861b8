import type { Socket } from 'node:net';
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
import { FramePings, type PingedConnection } from './frame-pings.ts';
import { type Flusher, type Lineage, Outbox, type OutboxOwner } from './outbox.ts';
import { transportHeaders } from './transport-headers.ts';
import { closeFrame, MAX_CONTROL_BYTES, Opcodes, websocketFrame } from './websocket-frame.ts';
import { handshake, refuseUpgrade, type UpgradeRequest } from './websocket-handshake.ts';
import { type Breach, type FrameListener, WebSocketReader } from './websocket-reader.ts';

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
  readonly maxBytes: number;
  readonly encoding: Encoding;
  readonly lineage: Lineage;
}

/** Errors of a socket end in 'close', which is listened to. */
function ignore(): void {}

/** A client on a WebSocket. */
class WebSocketPeer implements Peer, OutboxOwner, FrameListener, PingedConnection {
  readonly isEmulation = false;
  readonly refusedCloseDelayMs = CLOSE_TIMEOUT_MS;
  readonly headers: TransportHeaders;
  readonly session: Session;
  readonly #kind: WebSocketKind;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader: WebSocketReader;
  readonly #peers: Set<WebSocketPeer>;
  /** For a client that only listens; others answer the pings of the client protocol. */
  readonly #pings: FramePings | undefined;
  /** Our close frame is sent. */
  #isClosing = false;

  constructor(
    engine: Engine,
    socket: Socket,
    flusher: Flusher,
    kind: WebSocketKind,
    headers: TransportHeaders,
    peers: Set<WebSocketPeer>,
  ) {
    this.headers = headers;
    this.#kind = kind;
    this.#socket = socket;
    this.#peers = peers;
    this.#outbox = new Outbox(socket, flusher, kind.lineage, engine.settings.client.queueMaxSize, this);
    this.#reader = new WebSocketReader(kind.maxBytes, this);
    this.session = new Session(engine, this);
    this.#pings = kind.isUnidirectional ? new FramePings(engine, this) : undefined;
    peers.add(this);
    if (socket.listenerCount('error') === 0) socket.on('error', ignore);
    // Bound functions: closures would be compiled anew, if only from a cache, for each connection.
    socket.on('close', this.#gone.bind(this));
    socket.on('data', this.read.bind(this));
  }

  get transport(): string {
    return this.#kind.transport;
  }

  get isUnidirectional(): boolean {
    return this.#kind.isUnidirectional;
  }

  get encoding(): Encoding {
    return this.#kind.encoding;
  }

  /** Takes bytes from the socket. */
  read(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  overflowed(): void {
    this.session.close(Disconnects.Slow);
  }

  /** A client that only listens sends its connect request and nothing more. */
  onMessage(frame: Buffer): void {
    if (!this.isUnidirectional) this.session.receive(frame);
    else if (this.session.state === 'waiting') this.connect(frame);
  }

  /** Pongs are not queued for a client that does not read: its pings would fill the memory. */
  onPing(payload: Buffer): void {
    if (this.#isClosing || this.#outbox.isBlocked || this.#socket.writableLength >= MAX_UNSENT_PONG_BYTES) return;
    this.#socket.write(websocketFrame(Opcodes.Pong, payload.toString('latin1')));
  }

  onPong(): void {
    this.#pings?.pong();
  }

  sendPing(): void {
    // Who does not read is not sent more, and cut off like one that is gone.
    if (!this.#isClosing && !this.#outbox.isBlocked) this.#socket.write(websocketFrame(Opcodes.Ping, ''));
  }

  vanished(): void {
    this.session.close(undefined);
    this.terminate();
  }

  onClosed(code: number | undefined): void {
    this.#end(code);
  }

  onBreach(code: Breach): void {
    this.#end(code);
  }

  /** Ends the connection from the client's side: with a close frame, unless one is on its way already. */
  #end(code: number | undefined): void {
    this.#outbox.close(true);
    this.session.close(undefined);
    if (!this.#isClosing) this.#sayClosed(closeFrame(code), CLOSE_TIMEOUT_MS);
    this.#socket.end();
  }

  /** Sends the last frame. Who does not answer it in time is cut off. */
  #sayClosed(frame: Buffer, timeoutMs: number): void {
    this.#isClosing = true;
    this.#socket.write(frame);
    const cancel = this.session.engine.surroundings.clock.after(timeoutMs, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  /** Connects a client that only listens. */
  connect(request: Buffer): void {
    const connect = decodeJson(ConnectRequest, jsonBytes(request));
    if (connect) this.session.connect(connect);
    else this.session.close(Disconnects.BadRequest);
  }

  #gone(): void {
    this.#peers.delete(this);
    this.#pings?.stop();
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
    this.resume();
    // A code outside these ranges must not stand in a close frame; the client then sees the transport end.
    const isSendable = code >= 3000 && code < 5000 && code !== Disconnects.ConnectionClosed.code;
    if (isSendable && Buffer.byteLength(reason) <= MAX_CONTROL_BYTES - 2)
      this.#sayClosed(closeFrame(code, reason), isSlow ? SLOW_CLOSE_TIMEOUT_MS : CLOSE_TIMEOUT_MS);
    else this.terminate();
  }

  terminate(): void {
    this.#outbox.close(false);
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }
}

/** Accepts WebSocket upgrades. */
export class WebSocketEdge {
  readonly #engine: Engine;
  readonly #flusher: Flusher;
  readonly #json: WebSocketKind;
  readonly #protobuf: WebSocketKind;
  readonly #unidirectional: WebSocketKind;
  readonly #peers = new Set<WebSocketPeer>();

  constructor(engine: Engine, flusher: Flusher) {
    this.#engine = engine;
    this.#flusher = flusher;
    const { websocket, uniWebsocket } = engine.settings;
    const bidirectional = {
      transport: 'websocket',
      isUnidirectional: false,
      maxBytes: websocket.messageSizeLimit,
    } as const;
    const joined = ({ isBinary, separator }: Encoding) => {
      const opcode = isBinary ? Opcodes.Binary : Opcodes.Text;
      return flusher.lineage((messages) => websocketFrame(opcode, messages.join(separator)));
    };
    this.#json = { ...bidirectional, encoding: jsonEncoding, lineage: joined(jsonEncoding) };
    this.#protobuf = { ...bidirectional, encoding: protobufEncoding, lineage: joined(protobufEncoding) };
    this.#unidirectional = {
      transport: 'uni_websocket',
      isUnidirectional: true,
      maxBytes: uniWebsocket.messageSizeLimit,
      encoding: unidirectionalJsonEncoding,
      lineage: flusher.lineage((messages) =>
        Buffer.concat(messages.map((message) => websocketFrame(Opcodes.Text, message))),
      ),
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
  accept(request: UpgradeRequest, socket: Socket, head: Buffer, query: string): void {
    const protocol = this.#upgrade(request, socket, SUBPROTOCOLS);
    if (protocol === undefined) return;
    const isProtobuf = protocol === PROTOBUF_SUBPROTOCOL || wantsProtobuf(query);
    const peer = this.#open(socket, request, isProtobuf ? this.#protobuf : this.#json);
    if (head.length > 0) peer.read(head);
  }

  /** The same for a client that only listens; its connect request may stand in the query. */
  acceptUnidirectional(request: UpgradeRequest, socket: Socket, head: Buffer, query: string): void {
    const connect = new URLSearchParams(query).get('cf_connect');
    if (connect && !decodeJson(ConnectRequest, jsonBytes(Buffer.from(connect)))) {
      refuseUpgrade(socket, 400, '', 'invalid connect request');
      return;
    }
    if (this.#upgrade(request, socket, []) === undefined) return;
    const peer = this.#open(socket, request, this.#unidirectional);
    if (connect) peer.connect(Buffer.from(connect));
    if (head.length > 0) peer.read(head);
  }

  /** Answers the request. @returns the sub-protocol, or `undefined` where there is no connection */
  #upgrade(request: UpgradeRequest, socket: Socket, subprotocols: readonly string[]): string | undefined {
    const answer = handshake(request, subprotocols);
    if ('status' in answer) {
      refuseUpgrade(socket, answer.status, answer.headers);
      return undefined;
    }
    // The client is gone already.
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return undefined;
    }
    socket.write(answer.response, 'latin1');
    return answer.protocol;
  }

  #open(socket: Socket, request: UpgradeRequest, kind: WebSocketKind): WebSocketPeer {
    const headers = transportHeaders(request, this.#engine.settings.proxies.httpHeaders);
    return new WebSocketPeer(this.#engine, socket, this.#flusher, kind, headers, this.#peers);
  }
}

function wantsProtobuf(query: string): boolean {
  if (query === '') return false;
  const parameters = new URLSearchParams(query);
  return parameters.get('cf_protocol') === 'protobuf' || parameters.get('format') === 'protobuf';
}
