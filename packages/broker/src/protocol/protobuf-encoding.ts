import type { DecodedFrame, Encoding, StoredPublication } from './encoding.ts';
import { decodeProtobuf, delimited, encodeProtobuf, nextChunk, ProtobufReader } from './protobuf-message.ts';
import { Command, Publication, Push, Reply } from './schema.ts';

/** A frame holds one or more commands, each behind its length. */
function decodeFrame(frame: Buffer): DecodedFrame {
  const reader = new ProtobufReader(frame.toString('latin1'));
  const commands: Command[] = [];
  while (!reader.isAtEnd) {
    const chunk = nextChunk(reader);
    const command = chunk && decodeProtobuf(Command, chunk);
    if (!command) return { commands, isMalformed: true };
    commands.push(command);
  }
  return { commands, isMalformed: commands.length === 0 };
}

/** A publication inside a push; the schema's form of what the broker keeps. */
function publicationBytes({ data, info, offset, tags, epoch, version, isDelta = false }: StoredPublication): string {
  return encodeProtobuf(Publication, { data, info, offset, tags, epoch, version, delta: isDelta });
}

/** Field 4 of a reply is a push, field 4 of a push a publication, field 2 of a push the channel; all have a length. */
const FIELD_4 = '\x22';

/** Messages as Protobuf, each behind its length. */
export const protobufEncoding: Encoding = {
  name: 'protobuf',
  isBinary: true,
  separator: '',
  ping: '\0',
  decodeFrame,
  asDeltaData: (data) => data,
  encodeReply: (reply) => delimited(encodeProtobuf(Reply, reply)),
  encodePush: (push) => delimited(FIELD_4 + delimited(encodeProtobuf(Push, push))),
  encodePublication(channel, publication) {
    const push = encodeProtobuf(Push, { channel }) + FIELD_4 + delimited(publicationBytes(publication));
    return delimited(FIELD_4 + delimited(push));
  },
};
