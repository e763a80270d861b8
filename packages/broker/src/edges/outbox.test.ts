import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Flusher, Outbox } from './outbox.ts';

const NOBODY = { overflowed: () => {} };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Both ends of a connection. */
async function pair(): Promise<[server: Socket, client: Socket]> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const client = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  const [server] = (await once(listener, 'connection')) as [Socket];
  closers.push(() => {
    server.destroy();
    client.destroy();
    listener.close();
  });
  return [server, client];
}

const lines = (messages: readonly string[]) =>
  Buffer.from(messages.map((message) => `${message}\n`).join(''), 'latin1');

/** Reads until so many lines have come. */
async function readLines(client: Socket, count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) text += String((await once(client, 'data'))[0]);
  return text.split('\n').slice(0, -1);
}

describe('an outbox', () => {
  it('sends what was pushed in one turn in one piece, in order', async () => {
    const [server, client] = await pair();
    const flusher = new Flusher();
    let pieces = 0;
    const lineage = flusher.lineage((messages) => {
      pieces++;
      return lines(messages);
    });
    const outbox = new Outbox(server, flusher, lineage, 1000, NOBODY);
    for (let i = 0; i < 10; i++) outbox.push(`m${i}`, i % 2 === 0);
    expect(await readLines(client, 10)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`));
    expect(pieces).toBe(1);
  });

  it('shares the joined piece with all that wait for the same', async () => {
    const flusher = new Flusher();
    const made: string[] = [];
    const lineage = flusher.lineage((messages) => {
      made.push(messages.join());
      return lines(messages);
    });
    const pairs = await Promise.all(Array.from({ length: 5 }, pair));
    const outboxes = pairs.map(([server]) => new Outbox(server, flusher, lineage, 1000, NOBODY));
    for (const message of ['a', 'b', 'c']) for (const outbox of outboxes) outbox.push(message, false);
    outboxes[0]!.push('own', true);
    await Promise.all(pairs.map(([, client], i) => readLines(client, i === 0 ? 4 : 3)));
    expect(made.sort()).toEqual(['a,b,c', 'a,b,c,own']);
  });

  it('keeps the order for everybody, whatever is pushed to whom and how urgently', async () => {
    const flusher = new Flusher();
    const lineage = flusher.lineage(lines);
    const pairs = await Promise.all(Array.from({ length: 3 }, pair));
    const outboxes = pairs.map(([server]) => new Outbox(server, flusher, lineage, 1_000_000, NOBODY));
    const step = fc.record({
      to: fc.subarray([0, 1, 2], { minLength: 1 }),
      isUrgent: fc.boolean(),
      isTurn: fc.boolean(),
    });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const sent: string[][] = [[], [], []];
        const received = pairs.map(([, client], i) => {
          const count = steps.filter(({ to }) => to.includes(i)).length;
          return count > 0 ? readLines(client, count) : [];
        });
        for (const { to, isUrgent, isTurn } of steps) {
          n++;
          for (const i of to) {
            sent[i]!.push(`m${n}`);
            outboxes[i]!.push(`m${n}`, isUrgent);
          }
          if (isTurn) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await Promise.all(received)).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });

  it('gives up on a client that does not read, with a bounded queue', async () => {
    const [server, client] = await pair();
    client.pause();
    const flusher = new Flusher();
    let overflows = 0;
    const lineage = flusher.lineage(lines);
    const outbox: Outbox = new Outbox(server, flusher, lineage, 1_048_576, {
      overflowed() {
        overflows++;
        outbox.close(false);
      },
    });
    const message = 'x'.repeat(65_536);
    for (let i = 0; i < 1000 && overflows === 0; i++) {
      outbox.push(message, false);
      await new Promise((resolve) => setImmediate(resolve));
      expect(server.writableLength).toBeLessThanOrEqual(1_048_576 + message.length);
    }
    expect(overflows).toBe(1);
    outbox.push(message, false);
    expect(overflows).toBe(1);
  });

  it('goes on when a client reads again', async () => {
    const [server, client] = await pair();
    client.pause();
    const flusher = new Flusher();
    const outbox = new Outbox(server, flusher, flusher.lineage(lines), 100_000_000, NOBODY);
    const message = 'x'.repeat(100_000);
    let pushed = 0;
    while (server.writableLength === 0) {
      outbox.push(message, false);
      pushed++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 5; i++) outbox.push(`late${i}`, false);
    client.resume();
    expect((await readLines(client, pushed + 5)).slice(-5)).toEqual(['late0', 'late1', 'late2', 'late3', 'late4']);
  });

  it('does not write to a socket that is gone', async () => {
    const [server] = await pair();
    const flusher = new Flusher();
    const outbox = new Outbox(server, flusher, flusher.lineage(lines), 1000, NOBODY);
    outbox.push('a', true);
    server.destroy();
    outbox.flush();
    outbox.close(true);
    outbox.push('b', true);
    expect(server.destroyed).toBe(true);
  });
});
