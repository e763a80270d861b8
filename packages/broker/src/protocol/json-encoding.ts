import { type ByteString, jsonBytes, jsonString, utf8Text } from './byte-string.ts';
import type { DecodedFrame, Encoding, StoredPublication } from './encoding.ts';
import { decodeJson, encodeJson } from './json-message.ts';
import { onOneLine, skipSpace, valueEnd } from './json-scan.ts';
import { ClientInfo, Command, Push, Reply } from './schema.ts';

/**
 * One line holds one command. Like Centrifugo, what follows the first value of a line is not looked at.
 */
function decodeLine(line: ByteString): Command | undefined {
  const command = decodeJson(Command, line);
  if (command !== undefined) return command;
  const start = skipSpace(line, 0);
  const end = valueEnd(line, start);
  return end < line.length ? decodeJson(Command, line.slice(start, end)) : undefined;
}

function decodeFrame(frame: Buffer): DecodedFrame {
  const text = jsonBytes(frame);
  const commands: Command[] = [];
  // A trailing line feed ends the last command; it does not begin another.
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  for (const line of body.split('\n')) {
    const command = decodeLine(line);
    if (command === undefined) return { commands, isMalformed: true };
    commands.push(command);
  }
  return { commands, isMalformed: false };
}

/** The members of a publication object, without its braces. Written by hand: this runs once per publication and encoding. */
function publicationMembers(publication: StoredPublication): ByteString {
  let text = `"data":${onOneLine(publication.data)}`;
  if (publication.info) text += `,"info":${encodeJson(ClientInfo, publication.info)}`;
  if (publication.offset) text += `,"offset":${publication.offset}`;
  if (publication.tags?.size) text += `,"tags":${jsonTags(publication.tags)}`;
  if (publication.isDelta) text += ',"delta":true';
  if (publication.epoch) text += `,"epoch":"${publication.epoch}"`;
  if (publication.version) text += `,"version":${publication.version}`;
  return text;
}

function jsonTags(tags: ReadonlyMap<string, string>): ByteString {
  return `{${[...tags].map(([key, value]) => `${jsonString(key)}:${jsonString(value)}`).join(',')}}`;
}

/** What unidirectional transports send: bare pushes, without the reply around them. */
export const unidirectionalJsonEncoding: Encoding = {
  name: 'json',
  isBinary: false,
  separator: '\n',
  ping: '{}',
  decodeFrame,
  asDeltaData: (data) => jsonString(utf8Text(data)),
  encodeReply: (reply) => encodeJson(Reply, reply),
  encodePush: (push) => encodeJson(Push, push),
  encodePublication: (channel, publication) =>
    `{"channel":${jsonString(channel)},"pub":{${publicationMembers(publication)}}}`,
};

/** Messages as JSON, one per line. */
export const jsonEncoding: Encoding = {
  name: 'json',
  isBinary: false,
  separator: '\n',
  ping: '{}',
  decodeFrame,
  asDeltaData: (data) => jsonString(utf8Text(data)),
  encodeReply: (reply) => encodeJson(Reply, reply),
  encodePush: (push) => `{"push":${encodeJson(Push, push)}}`,
  encodePublication: (channel, publication) =>
    `{"push":{"channel":${jsonString(channel)},"pub":{${publicationMembers(publication)}}}}`,
};
