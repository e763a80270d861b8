import { expect } from 'vitest';
import { type Scenario, scenarios } from '../scenario.ts';

export const limitScenarios: readonly Scenario[] = [
  ...scenarios('frame limits', 'limits', {
    'a frame of exactly the limit is read': async (t) => {
      const wire = await t.connect();
      const frame = (pad: string) => `{"id":2,"subscribe":{"channel":"plain:x"},"pad":"${pad}"}`;
      wire.sendText(frame('x'.repeat(1024 - frame('').length)));
      expect(await wire.reply(2)).toEqual({ subscribe: {} });
    },
    'a frame of one byte more closes with 1009': async (t) => {
      const wire = await t.connect();
      const frame = (pad: string) => `{"id":2,"subscribe":{"channel":"plain:x"},"pad":"${pad}"}`;
      wire.sendText(frame('x'.repeat(1025 - frame('').length)));
      expect((await wire.closeCode()).code).toBe(1009);
    },
    'an oversize frame before connect closes with 1009': async (t) => {
      const wire = await t.open();
      wire.sendText(`{"id":1,"connect":{"token":"${'x'.repeat(2000)}"}}`);
      expect((await wire.closeCode()).code).toBe(1009);
    },
    'a slow reader is closed, and delays nobody else': async (t) => {
      const channel = t.channel('plain');
      const [slow, quick] = [await t.connect(), await t.connect({ sub: t.user('quick') })];
      await slow.call({ subscribe: { channel } });
      await quick.call({ subscribe: { channel } });
      (slow.socket as unknown as { _socket: { pause(): void } })._socket.pause();
      const data = 'x'.repeat(60_000);
      const subscribers = async () => {
        const { result } = await t.api('channels', { pattern: channel });
        return (result as { channels: Record<string, { num_clients: number }> }).channels[channel]?.num_clients;
      };
      // How much the kernel takes in for the one that does not read is its own affair: some megabytes.
      for (let index = 0; index < 1_000 && (index % 10 > 0 || (await subscribers()) === 2); index++) {
        await t.api('publish', { channel, data: { index, data } });
        expect(await quick.publication(channel)).toMatchObject({ data: { index } });
        quick.lines.length = 0;
        quick.frames.length = 0;
        quick.transcript.length = 0;
      }
      (slow.socket as unknown as { _socket: { resume(): void } })._socket.resume();
      const { code } = await slow.closeCode();
      expect([3008, 1006]).toContain(code); // the close frame gets through only where the kernel still has room
    },
    'a publication larger than the queue closes its subscribers with 3008': async (t) => {
      const channel = t.channel('plain');
      const wire = await t.connect();
      await wire.call({ subscribe: { channel } });
      await t.api('publish', { channel, data: 'x'.repeat(200_000) });
      expect(await wire.closeCode()).toEqual({ code: 3008, reason: 'slow' });
    },
  }),
  ...scenarios('frame limits', 'standard', {
    'text that is no UTF-8 closes as any malformed frame does': async (t) => {
      const wire = await t.connect();
      // A text frame with one invalid byte, masked with zeros.
      (wire.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
        Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]),
      );
      expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
    },
    'an unmasked frame closes with 1002': async (t) => {
      const wire = await t.connect();
      (wire.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
        Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
      );
      expect((await wire.closeCode()).code).toBe(1002);
    },
    'a binary frame that carries JSON is read': async (t) => {
      const wire = await t.connect();
      wire.sendBinary(Buffer.from(JSON.stringify({ id: 2, subscribe: { channel: t.channel('plain') } })));
      expect(await wire.reply(2)).toEqual({ subscribe: {} });
    },
    'a frame in fragments is read': async (t) => {
      const wire = await t.connect();
      const text = JSON.stringify({ id: 2, subscribe: { channel: t.channel('plain') } });
      wire.socket.send(text.slice(0, 10), { fin: false });
      wire.socket.send(text.slice(10), { fin: true });
      expect(await wire.reply(2)).toEqual({ subscribe: {} });
    },
    'a WebSocket ping is answered with a pong': async (t) => {
      const wire = await t.connect();
      const pong = new Promise<string>((resolve) => wire.socket.once('pong', (data) => resolve(data.toString())));
      wire.socket.ping('hello');
      expect(await pong).toBe('hello');
    },
    'a close by the client is answered in kind': async (t) => {
      const wire = await t.connect();
      wire.socket.close(1000, 'bye');
      expect((await wire.closeCode()).code).toBe(1000);
    },
    '128 channels are allowed, and the 129th is error 106': async (t) => {
      const wire = await t.connect();
      const names = Array.from({ length: 129 }, (_, index) => t.channel('plain', `n${index}`));
      wire.send(...names.map((channel, index) => ({ id: 1000 + index, subscribe: { channel } })));
      for (let index = 0; index < 128; index++) expect(await wire.reply(1000 + index)).toEqual({ subscribe: {} });
      expect(await wire.reply(1128)).toEqual({ error: { code: 106, message: 'limit exceeded' } });
    },
    'commands in one frame are answered in few frames': async (t) => {
      const wire = await t.connect();
      const before = wire.frames.length;
      wire.send(
        ...Array.from({ length: 50 }, (_, index) => ({ id: 100 + index, unsubscribe: { channel: 'plain:x' } })),
      );
      for (let index = 0; index < 50; index++) await wire.reply(100 + index);
      expect(wire.frames.length - before).toBeLessThanOrEqual(50);
    },
    'deep JSON in a command ends its sender at most': async (t) => {
      const [wire, other] = [await t.connect(), await t.connect()];
      wire.sendText(
        `{"id":2,"publish":{"channel":"${t.channel('open')}","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
      );
      await Promise.race([wire.reply(2).catch(() => wire.closed), wire.closed]);
      await other.settle();
      expect(other.isClosed).toBe(false);
    },
  }),
];
