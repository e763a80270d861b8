import type { ByteString } from './byte-string.ts';
import type { ClientInfo, Command, Push, Reply } from './schema.ts';

/** A publication as the broker keeps it. */
export interface StoredPublication {
  readonly data: ByteString;
  /** 0 for a publication that is not in the history. */
  readonly offset: number;
  /** Set on the first publication of a stream only, as Centrifugo does. */
  readonly epoch: string;
  readonly info: ClientInfo | undefined;
  readonly tags: ReadonlyMap<string, string> | undefined;
  /** The publisher's version of the data; 0 for none. */
  readonly version: number;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** `data` is a delta to the publication before. */
  readonly isDelta?: boolean;
  /** Whether `data` is JSON; a JSON connection cannot carry anything else. */
  readonly isJson: boolean;
}

/** What a frame from a client holds: its commands up to the first that cannot be read. */
export interface DecodedFrame {
  readonly commands: readonly Command[];
  readonly isMalformed: boolean;
}

/**
 * How messages become bytes. Everything is a byte string, so the queue and the flush treat all encodings alike.
 * The functions are pure; one object serves all connections.
 */
export interface Encoding {
  readonly name: 'json' | 'protobuf';
  /** Whether a WebSocket frame of it is binary. */
  readonly isBinary: boolean;
  /** What stands between two messages of one frame. */
  readonly separator: ByteString;
  /** The empty reply: the server's ping. */
  readonly ping: ByteString;
  decodeFrame(frame: Buffer): DecodedFrame;
  /** The form of data on a subscription that negotiated deltas: these are no JSON, so JSON carries all data as texts. */
  asDeltaData(data: ByteString): ByteString;
  encodeReply(reply: Reply): ByteString;
  /** A push on a bidirectional transport, that is inside a reply. */
  encodePush(push: Push): ByteString;
  /** The same as `encodePush({ channel, pub })`, but on the fast path. */
  encodePublication(channel: string, publication: StoredPublication): ByteString;
}
