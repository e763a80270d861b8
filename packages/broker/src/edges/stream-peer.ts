import type { ServerResponse } from 'node:http';
import type { Engine } from '../core/engine.ts';
import type { Peer, TransportHeaders } from '../core/peer.ts';
import { Session } from '../core/session.ts';
import type { ByteString } from '../protocol/byte-string.ts';
import { type Disconnect, Disconnects } from '../protocol/codes.ts';
import type { Encoding } from '../protocol/encoding.ts';
import { type Flusher, type Lineage, Outbox, type OutboxOwner } from './outbox.ts';
import { transportHeaders } from './transport-headers.ts';

/** As on Go's servers. */
const KEEP_ALIVE_DELAY_MS = 15_000;

/** A transport whose server side is one long HTTP response. */
export interface StreamKind {
  /** As Centrifugo names it. */
  readonly transport: 'http_stream' | 'sse' | 'uni_sse' | 'uni_http_stream';
  readonly encoding: Encoding;
  readonly isUnidirectional: boolean;
  readonly lineage: Lineage;
}

/** A client that listens to a response. It is told why the connection ends by a push: there is no close frame. */
export class StreamPeer implements Peer, OutboxOwner {
  readonly transport: string;
  readonly encoding: Encoding;
  readonly headers: TransportHeaders;
  readonly isUnidirectional: boolean;
  readonly isEmulation: boolean;
  /** It is closed as stale, like one that never connected. */
  readonly refusedCloseDelayMs = Number.POSITIVE_INFINITY;
  readonly session: Session;
  readonly #response: ServerResponse;
  readonly #outbox: Outbox;

  constructor(engine: Engine, response: ServerResponse, flusher: Flusher, kind: StreamKind) {
    this.transport = kind.transport;
    this.encoding = kind.encoding;
    this.isUnidirectional = kind.isUnidirectional;
    this.isEmulation = !kind.isUnidirectional;
    this.headers = transportHeaders(response.req, engine.settings.proxies.httpHeaders);
    this.#response = response;
    this.#outbox = new Outbox(response, flusher, kind.lineage, engine.settings.client.queueMaxSize, this);
    this.session = new Session(engine, this);
    // A client that is gone without a word, and whose pings nobody confirms, is noticed by the kernel.
    response.socket?.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    response.on('close', () => this.session.close(undefined));
  }

  overflowed(): void {
    this.session.close(Disconnects.Slow);
  }

  push(message: ByteString, isUrgent: boolean): void {
    this.#outbox.push(message, isUrgent);
  }

  close({ code, reason }: Disconnect): void {
    if (code === Disconnects.Slow.code) {
      this.terminate();
      return;
    }
    this.#outbox.push(this.encoding.encodePush({ disconnect: { code, reason } }), true);
    this.#outbox.close(true);
    this.#response.end();
  }

  terminate(): void {
    this.#outbox.close(false);
    this.#response.destroy();
  }

  /** Commands come one request at a time, and each request is answered at once: there is nothing to hold back. */
  pause(): void {}
  resume(): void {}
}
