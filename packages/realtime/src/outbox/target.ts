import type { ChannelName } from '../core/channel.ts';

/** What is written for one announcement. */
export interface Announcement {
  readonly channel: ChannelName;
  /** The message as JSON text. */
  readonly message: string;
}

/** Text that goes with the publications, apart from the message. */
export type Tags = Readonly<Record<string, string>> | undefined;

/** What all libraries pass on alike. */
export type SqlParameter = string | null;

/** A statement with its parameters, `$1` being the first. */
export interface SqlStatement {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
}

/**
 * Where announcements are written, and who reads them there: made by `relayTable`, `centrifugoConsumer` or `centrifugoStream`.
 *
 * All three write what is given with one statement, in order, with text parameters only: so every library can run it.
 */
export interface OutboxTarget {
  /** Who reads it: our relay, or Centrifugo as consumer or as broker. */
  readonly kind: 'relay-table' | 'centrifugo-consumer' | 'centrifugo-stream';
  /** The statement that makes the table, safe to run again; `null` where Centrifugo makes it. */
  readonly migration: string | null;
  /** What to do where the table or function is missing. */
  readonly migrationHint: string;
  /** PostgreSQL's `jsonb` refuses some strings that JSON allows; a text column takes them all. */
  readonly isJsonb: boolean;
  /** @internal The statement that writes the announcements. */
  write(announcements: readonly Announcement[], tags: Tags): SqlStatement;
}
