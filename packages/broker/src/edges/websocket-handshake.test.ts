import { describe, expect, it } from 'vitest';
import { handshake } from './websocket-handshake.ts';

const request = {
  connection: 'keep-alive, Upgrade',
  upgrade: 'websocket',
  // The example of RFC 6455 §1.3.
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};
const SUPPORTED = ['first', 'second'];
const shake = (headers: Record<string, string | undefined>, method = 'GET') =>
  handshake({ method, headers: { ...request, ...headers } }, SUPPORTED);

describe('a handshake', () => {
  it('answers with the key that the client can check', () => {
    expect(shake({})).toEqual({
      protocol: '',
      response:
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    });
  });

  it.each([
    ['second', 'second'],
    ['unknown, second ,first', 'second'],
    ['unknown', ''],
  ])('of the sub-protocols "%s" takes "%s"', (wanted, protocol) => {
    const answer = shake({ 'sec-websocket-protocol': wanted });
    expect(answer).toMatchObject({ protocol });
    const named = expect.stringContaining(`Sec-WebSocket-Protocol: ${protocol}\r\n`);
    expect(answer).toMatchObject({ response: protocol ? named : expect.not.stringContaining('Protocol: ') });
  });

  it.each<[string, Record<string, string | undefined>]>([
    ['no key', { 'sec-websocket-key': undefined }],
    ['a short key', { 'sec-websocket-key': 'c2hvcnQ=' }],
    ['another upgrade', { upgrade: 'h2c' }],
    ['no version', { 'sec-websocket-version': undefined }],
    ['no word of it in connection', { connection: 'keep-alive' }],
    ['version 8', { 'sec-websocket-version': '8' }],
    ['version 7', { 'sec-websocket-version': '7' }],
    ['an empty sub-protocol', { 'sec-websocket-protocol': 'first,' }],
    ['a sub-protocol twice', { 'sec-websocket-protocol': 'first,first' }],
    ['a sub-protocol with a space', { 'sec-websocket-protocol': 'fi rst' }],
  ])('is refused for %s', (_what, headers) => {
    expect(shake(headers)).toMatchObject({ status: 400 });
  });

  it('says which versions there are', () => {
    expect(shake({ 'sec-websocket-version': '7' })).toEqual({
      status: 400,
      headers: 'Sec-WebSocket-Version: 13\r\n',
    });
  });

  it('is a GET', () => {
    expect(shake({}, 'POST')).toMatchObject({ status: 405 });
  });
});
