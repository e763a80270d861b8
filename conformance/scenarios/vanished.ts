import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

const TRANSPORTS = ['websocket', 'http_stream', 'sse', 'uni_websocket', 'uni_sse', 'uni_http_stream'] as const;
type Transport = (typeof TRANSPORTS)[number];

/** The request that opens a connection which asks for `command`, or, for a WebSocket, which may send it then. */
function request(transport: Transport, host: string, command: string): string {
  const query = transport === 'websocket' ? '' : `?cf_connect=${encodeURIComponent(command)}`;
  if (transport.endsWith('websocket'))
    return (
      `GET /connection/${transport}${query} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    );
  if (transport.endsWith('sse')) return `GET /connection/${transport}${query} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  return `POST /connection/${transport} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${command.length}\r\n\r\n${command}`;
}

/** A masked text frame; the mask is zero. */
function frame(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([Buffer.from([0x81, 0xfe]), length, Buffer.alloc(4), Buffer.from(text)]);
}

/**
 * A client of a channel that is there, and then neither reads nor writes nor ends its connection: as one whose machine lost its network, until the
 * kernel gives up.
 */
async function vanish(t: ScenarioContext, transport: Transport, channel: string): Promise<void> {
  const token = await t.token({ sub: t.user(), subs: { [channel]: {} } });
  const command = JSON.stringify(transport.startsWith('uni') ? { token } : { id: 1, connect: { token } });
  const { host, hostname, port } = new URL(t.server.nodes[0]);
  const socket: Socket = connect(Number(port), hostname);
  socket.on('error', () => {}); // it is cut off, which is the point
  t.onEnd(() => socket.destroy());
  let received = '';
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (chunk: Buffer): void => {
        received += chunk.toString('latin1');
        if (!received.includes(text)) return;
        socket.off('data', look);
        resolve();
      };
      socket.on('data', look);
    });
  const isThere = said(channel);
  if (transport === 'websocket') {
    const isUpgraded = said('\r\n\r\n');
    socket.write(request(transport, host, command));
    await isUpgraded;
    socket.write(frame(command));
  } else socket.write(request(transport, host, command));
  await isThere;
  socket.pause();
}

async function present(t: ScenarioContext, channel: string): Promise<unknown> {
  const { result } = (await t.api('presence_stats', { channel })) as { result?: { num_clients?: number } };
  return result?.num_clients ?? 0;
}

/** What becomes of clients that are gone without a word. */
export const vanishedScenarios: readonly Scenario[] = [
  ...(['websocket', 'http_stream', 'sse', 'uni_websocket'] as const).flatMap((transport) =>
    scenarios('vanished', 'subsecond', {
      [`a client of ${transport} that is gone misses a pong, and is out of its channels`]: async (t) => {
        const channel = t.channel('open');
        await vanish(t, transport, channel);
        await eventually(async () => expect(await present(t, channel)).toBe(0));
      },
    }),
  ),
  ...(['uni_sse', 'uni_http_stream'] as const).flatMap((transport) =>
    scenarios('vanished', 'subsecond', {
      [`a client of ${transport} that is gone stays, until its queue is full`]: async (t) => {
        const [channel, other] = [t.channel('open'), t.channel('open', 'other')];
        await vanish(t, transport, channel);
        // Who owes a pong is gone by now.
        await vanish(t, 'websocket', other);
        await eventually(async () => expect(await present(t, other)).toBe(0));
        expect(await present(t, channel)).toBe(1);
        const data = 'x'.repeat(256 * 1024);
        await eventually(async () => {
          await t.api('publish', { channel, data });
          expect(await present(t, channel)).toBe(0);
        });
      },
    }),
  ),
  ...scenarios('subsecond', 'subsecond', {
    'connect tells no ping interval below a second': async (t) => {
      const wire = await t.open();
      const { connect: told } = await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      expect(told).toMatchObject({ pong: true });
      expect(told).not.toHaveProperty('ping');
    },
    'a missing pong closes with 3012': async (t) => {
      const wire = await t.open({ pong: false });
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      expect(await wire.closeCode()).toEqual({ code: 3012, reason: 'no pong' });
    },
  }),
];
