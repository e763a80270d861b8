import { type ByteString, jsonBytes, jsonString, utf8Text } from './byte-string.ts';
import type { DecodedFrame, Encoding } from './encoding.ts';
import { encodeConnectResult, encodeSubscribeResult } from './json-connect-result.ts';
import { decodeJson, encodeJson } from './json-message.ts';
import { publicationMembers } from './json-publication.ts';
import { skipSpace, valueEnd } from './json-scan.ts';
import { Command, Push, Reply } from './schema.ts';

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

/** Of replies in numbers the results are written by hand, the rest by the schema. */
function encodeReply(reply: Reply): ByteString {
  const { id, connect, subscribe } = reply;
  if (id && connect) return `{"id":${id},"connect":${encodeConnectResult(connect)}}`;
  if (id && subscribe) return `{"id":${id},"subscribe":${encodeSubscribeResult(subscribe)}}`;
  return encodeJson(Reply, reply);
}

/** What unidirectional transports send: bare pushes, without the reply around them. */
export const unidirectionalJsonEncoding: Encoding = {
  name: 'json',
  isBinary: false,
  separator: '\n',
  ping: '{}',
  decodeFrame,
  asDeltaData: (data) => jsonString(utf8Text(data)),
  encodeReply,
  encodePush: (push) => encodeJson(Push, push),
  encodePublication: (channel, publication) =>
    `{"channel":${jsonString(channel)},"pub":{${publicationMembers(publication, publication.isDelta)}}}`,
};

/** Messages as JSON, one per line. */
export const jsonEncoding: Encoding = {
  name: 'json',
  isBinary: false,
  separator: '\n',
  ping: '{}',
  decodeFrame,
  asDeltaData: (data) => jsonString(utf8Text(data)),
  encodeReply,
  encodePush: (push) => `{"push":${encodeJson(Push, push)}}`,
  encodePublication: (channel, publication) =>
    `{"push":{"channel":${jsonString(channel)},"pub":{${publicationMembers(publication, publication.isDelta)}}}}`,
};
