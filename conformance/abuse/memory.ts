/**
 * `pnpm --filter conformance abuse-memory [--seconds 5]`: what hostile clients cost. Each case is repeated for so long against one broker process; the table
 * has its memory after a collection before and after, and the most that it had meanwhile.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { signToken } from '../clients/tokens.ts';
import { SECRETS } from '../environments.ts';

interface Memory {
  readonly heap: number;
  readonly rss: number;
  readonly peakHeap: number;
  readonly peakRss: number;
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const child = fork(fileURLToPath(new URL('broker-process.ts', import.meta.url)), {
  execArgv: ['--expose-gc', '--import', 'tsx', '--conditions=@op/source'],
});
const [{ url }] = (await once(child, 'message')) as [{ url: string }];
const port = Number(new URL(url).port);
const token = await signToken({ sub: 'abuser' });
const CONNECT = JSON.stringify({ id: 1, connect: { token } });

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const measure = async (): Promise<Memory> => {
  const answer = once(child, 'message');
  child.send('measure');
  return ((await answer) as [Memory])[0];
};

async function tcp(bytes: string | Buffer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // being cut off is what is wanted
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

async function client(first: string | Buffer = CONNECT): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/connection/websocket`, { perMessageDeflate: false });
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.send(first);
  return socket;
}

/** Sends something for as long as it is taken, then ends. */
async function pour(socket: WebSocket, text: string, times: number): Promise<void> {
  for (let i = 0; i < times && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < 4_000_000; i++) {
    socket.send(text);
    await turn();
  }
  socket.terminate();
}

async function answered(socket: Socket): Promise<void> {
  await new Promise((resolve) => {
    socket.once('data', resolve);
    socket.once('close', resolve);
  });
  socket.destroy();
}

async function ended(socket: WebSocket): Promise<void> {
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
}

const head = (more: string) => `POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: ${SECRETS.api}\r\n${more}\r\n\r\n`;
const commands = (count: number, command: (i: number) => object) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ id: i + 2, ...command(i) })).join('\n');

/** One round of each. */
const CASES: Readonly<Record<string, () => Promise<unknown>>> = {
  'malformed frames': async () => ended(await client('nonsense')),
  'messages of 1 MB': async () => ended(await client('x'.repeat(1_000_000))),
  'JSON 10,000 deep': async () => ended(await client(`{"id":1,"connect":{"data":${'['.repeat(10_000)}`)),
  'connections that come and go': async () => (await client()).terminate(),
  'sockets that say nothing, a hundred at once': async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, () => tcp('GET /health HTTP/1.1\r\nA: ')));
    for (const socket of sockets) socket.resetAndDestroy();
  },
  'subscribe and unsubscribe, new channels each': async () => {
    const unique = Math.random();
    const text = commands(500, (i) =>
      i % 2
        ? { unsubscribe: { channel: `plain:${unique}${i - 1}` } }
        : { subscribe: { channel: `plain:${unique}${i}` } },
    );
    await pour(await client(), text, 20);
  },
  'commands, replies not read': async () => {
    const socket = await client();
    socket.pause();
    await pour(
      socket,
      commands(500, () => ({ unsubscribe: { channel: 'x' } })),
      200,
    );
  },
  'publications, not read by twenty': async () => {
    const subscribe = `${CONNECT}\n{"id":2,"subscribe":{"channel":"plain:slow"}}`;
    const sockets = await Promise.all(Array.from({ length: 20 }, () => client(subscribe)));
    for (const socket of sockets) socket.pause();
    const body = JSON.stringify({ channel: 'plain:slow', data: 'x'.repeat(100_000) });
    for (let i = 0; i < 60; i++)
      await fetch(`${url}/api/publish`, { method: 'POST', headers: { 'X-API-Key': SECRETS.api }, body });
    for (const socket of sockets) socket.terminate();
  },
  'API bodies that are announced and never come': async () => {
    const socket = await tcp(head('Content-Length: 60000000'));
    socket.write('x'.repeat(1_000_000), () => socket.resetAndDestroy());
    await once(socket, 'close');
  },
  'headers of 2 MB': async () => answered(await tcp(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(2_000_000)}`)),
  'calls with a wrong key': async () => answered(await tcp(head('Content-Length: 9').replace(SECRETS.api, 'wrong'))),
};

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0).padStart(4);
/** The first rounds compile: they are not the abuse. */
for (const [name, round] of Object.entries(CASES)) {
  process.stderr.write(`warm: ${name}\n`);
  await round();
}
process.stdout.write(
  '| case | rounds | heap before, peak, after (MB) | RSS before, peak, after (MB) |\n| --- | --- | --- | --- |\n',
);
for (const [name, round] of Object.entries(CASES)) {
  await measure();
  const before = await measure();
  const until = Date.now() + Number(values.seconds) * 1000;
  let rounds = 0;
  for (; Date.now() < until; rounds++) await round();
  const after = await measure();
  const row = (from: number, peak: number, to: number) => [from, peak, to].map(megabytes).join(', ');
  process.stdout.write(
    `| ${name} | ${rounds} | ${row(before.heap, after.peakHeap, after.heap)} | ${row(before.rss, after.peakRss, after.rss)} |\n`,
  );
}
child.disconnect();
