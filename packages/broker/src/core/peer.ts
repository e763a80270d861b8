import type { ByteString } from '../protocol/byte-string.ts';
import type { Disconnect } from '../protocol/codes.ts';
import type { Encoding } from '../protocol/encoding.ts';

/** Headers of the request that opened a connection, by name in lower case; only those that some proxy passes on. */
export type TransportHeaders = ReadonlyMap<string, string> | undefined;

/** The other end of a session: what a transport gives to the core. */
export interface Peer {
  /** As Centrifugo names it: `websocket`, `http_stream`, `sse`, `uni_sse` … */
  readonly transport: string;
  readonly encoding: Encoding;
  readonly headers: TransportHeaders;
  /** The client cannot send commands: it gets pushes only, pings without pongs, and its connect result as a push. */
  readonly isUnidirectional: boolean;
  /** Commands come by other requests (`/emulation`), so the client must be told its session and node. */
  readonly isEmulation: boolean;
  /** How long a client whose connect command got an error may stay, in milliseconds. */
  readonly refusedCloseDelayMs: number;
  /** Queues one encoded message. Urgent ones (replies, small fan-outs) leave before the rest. */
  push(message: ByteString, isUrgent: boolean): void;
  /** Sends what is queued (unless the client is too slow for it) and closes. */
  close(disconnect: Disconnect): void;
  /** Ends the connection without a word. */
  terminate(): void;
  /** Stops and resumes reading, while a command waits for the application. */
  pause(): void;
  resume(): void;
}
