import { describe, expect, it } from 'vitest';
import { Disconnects, ReplyErrors } from '../packages/broker/src/protocol/codes.ts';
import { BrokerCode } from '../packages/realtime/src/client/broker-codes.ts';
import { encodeChannelId, MAX_CHANNEL_BYTES, NAMESPACE } from '../packages/realtime/src/core/channel.ts';
import { ErrorCode } from '../packages/realtime/src/core/errors.ts';
import { parseMessage } from '../packages/realtime/src/core/message.ts';
import { createRealtime } from '../packages/realtime/src/server/index.ts';
import { MAX_CONNECTION_CHANNELS } from '../packages/realtime/src/server/tokens.ts';
import * as metadata from '../packages/realtime/src/trpc/metadata.ts';
import { parseMeta } from '../packages/realtime/src/trpc/parse-meta.ts';
import { readDocument, snippetsOf } from './markdown.ts';

const text = readDocument('PROTOCOL.md');
const section = (heading: string) => text.slice(text.indexOf(`\n## ${heading}\n`)).split(/\n(?=## )/)[1] ?? '';
/** The first cell of each row of a section's tables. */
const firstCells = (heading: string) =>
  [...section(heading).matchAll(/^\| `?([^|`]+?)`? \|/gm)].map(([, cell]) => cell);
const number = (value: number) => value.toLocaleString('en');

describe('PROTOCOL.md says what the source says', () => {
  it('about the codes of errors', () => {
    expect(firstCells('Errors of the library').slice(2)).toEqual(Object.values(ErrorCode));
    const source = readDocument('packages/realtime/src/core/realtime-error.ts');
    const inSource = [...source.matchAll(/^ {2}\/\*\* (.+) \*\/\n {2}\w+: '(\w+)'/gm)].map(([, says, code]) => [
      code,
      says,
    ]);
    const told = [...section('Errors of the library').matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code, says]) => [
      code,
      says,
    ]);
    expect(told).toEqual(inSource);
  });

  it('about the codes of the broker that decide', () => {
    const told = firstCells('Codes that a client decides by').join('\n');
    for (const code of [
      BrokerCode.PermissionDenied,
      BrokerCode.AlreadySubscribed,
      BrokerCode.LimitExceeded,
      BrokerCode.TokenExpired,
    ])
      expect(told).toContain(`${code} ${Object.values(ReplyErrors).find((error) => error.code === code)?.message}`);
    expect(told).toContain(`${BrokerCode.StateInvalidated} ${Disconnects.StateInvalidated.reason}`);
    expect(told).toContain(`${BrokerCode.ServerUnsubscribe} and above`);
    expect(section('Codes that a client decides by')).toContain(`${BrokerCode.InvalidToken} means \`unauthorized\``);
  });

  it('about names and limits', () => {
    expect(section('Channel names')).toContain(`\`${NAMESPACE}:<scope>:<id>\``);
    expect(section('Channel names')).toContain(`${MAX_CHANNEL_BYTES} bytes`);
    expect(section('Channel names')).toContain(`\`a b\` is \`${encodeChannelId('a b')}\``);
    expect(section('Tokens')).toContain(`at most ${MAX_CONNECTION_CHANNELS}`);
    const meta = section('Metadata of tRPC answers');
    for (const name of [metadata.ANNOUNCE_HEADER, metadata.REQUEST_ID_HEADER]) expect(meta).toContain(`\`${name}\``);
    expect(meta).toContain(`1 to ${metadata.MAX_REQUEST_ID_LENGTH} of`);
    expect(meta).toContain(`${number(metadata.MAX_CHANNELS_PER_ANSWER)} channels`);
    expect(meta).toContain(`${number(metadata.MAX_GRANT_LENGTH)} characters`);
  });

  it('about the size of a message', async () => {
    const most = Number(/at most ([\d,]+) bytes/.exec(section('Messages'))?.[1]?.replace(',', ''));
    const rest = JSON.stringify({ type: 'event', name: 'x', data: '' }).length;
    const publish = (bytes: number) =>
      createRealtime({ apiUrl: 'http://127.0.0.1:1', apiKey: 'key', spread: false, timeoutMs: 2_000 })
        .publish('trpc:global', { type: 'event', name: 'x', data: 'x'.repeat(bytes - rest) })
        .catch((error) => error.code);
    expect(await publish(most)).toBe('api_unavailable'); // it got as far as sending
    expect(await publish(most + 1)).toBe('invalid_message');
  });

  it('about the lives of tokens', async () => {
    const { createConnectionToken, createChannelToken } = createRealtime({ tokenSecret: 'secret' });
    const lifeOf = (token: string) => {
      const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      return exp - iat;
    };
    const table = section('Tokens');
    expect(table).toContain(`lives ${number(lifeOf(await createConnectionToken({ userId: '7' })))} by default`);
    expect(table).toContain(
      `lives ${number(lifeOf(await createChannelToken({ userId: '7', channel: 'trpc:org:7' })))} by default`,
    );
  });

  it('in its examples, which the readers accept', () => {
    const examples = snippetsOf('PROTOCOL.md')
      .filter(({ language }) => language === 'json')
      .map(({ code }) => JSON.parse(code));
    const [command, envelope] = examples;
    expect(parseMessage(command.data)).toEqual({ ok: true, message: command.data });
    const opened = metadata.openEnvelope(envelope);
    expect(opened?.data).toEqual({ the: 'data' });
    const meta = parseMeta(opened?.wire);
    expect(meta).not.toBeNull();
    expect(metadata.toWireMeta(meta!)).toEqual(opened?.wire);
    for (const type of firstCells('Messages').slice(2))
      expect(parseMessage({ type, queryKey: [], name: 'x' })).toMatchObject({ ok: true });
  });
});
