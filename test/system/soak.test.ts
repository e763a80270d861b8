import { type ChildProcess, fork } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';

/**
 * The broker under clients that come and go in every way there is, well-behaved and not. Its memory stays flat, and those who stay miss nothing.
 * `SOAK_SECONDS` says for how long; `pnpm soak` runs it for ten minutes.
 */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 30);
const SECRET = randomBytes(16).toString('hex');
/** What caches and compiled code may add after the first third. */
const MAX_GROWTH_BYTES = 1.5 * 1024 * 1024;
/** What is forgotten is forgotten by then, also on a busy machine. */
const AFTERLIFE_MS = 15_000;

let child: ChildProcess;
let url = '';
let apiUrl = '';

beforeAll(async () => {
  child = fork(fileURLToPath(new URL('./soak-broker.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--conditions=@op/source', '--import', 'tsx'],
    env: { ...process.env, SOAK_SECRET: SECRET },
  });
  [{ url, apiUrl }] = (await once(child, 'message')) as [{ url: string; apiUrl: string }];
});
afterAll(() => {
  child.kill();
});

async function heldBytes(): Promise<number> {
  child.send('measure');
  const [{ heldBytes: bytes }] = (await once(child, 'message')) as [{ heldBytes: number }];
  return bytes;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims: object): string {
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

async function call(method: string, request: object): Promise<void> {
  const response = await fetch(`${apiUrl}/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': SECRET },
    body: JSON.stringify(request),
  });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}

/** Resolves when the socket says something, or is closed: on a slow machine a client of a short life may miss its pong. */
async function saidOrClosed(socket: WebSocket): Promise<void> {
  if (socket.readyState >= WebSocket.CLOSING) return;
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(socket, 'message', { signal }), once(socket, 'close', { signal })]);
  stop.abort();
}

async function connect(user: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, connect: { token: token({ sub: user }) } }));
  await saidOrClosed(socket);
  return socket;
}

/** A client that stays: answers pings, notes the offsets it gets. */
async function steadySubscriber(user: string): Promise<{ readonly offsets: number[]; readonly socket: WebSocket }> {
  const socket = await connect(user);
  const offsets: number[] = [];
  socket.on('message', (data) => {
    for (const line of String(data).split('\n')) {
      if (line === '{}') socket.send('{}');
      const offset: unknown = JSON.parse(line).push?.pub?.offset;
      if (typeof offset === 'number') offsets.push(offset);
    }
  });
  socket.send('{"id":2,"subscribe":{"channel":"feed:1"}}');
  return { offsets, socket };
}

let names = 0;

/** Ways to spend a short life as a client. */
const LIVES: ((socket: WebSocket) => Promise<void> | void)[] = [
  (socket) => socket.close(),
  (socket) => socket.terminate(),
  async (socket) => {
    for (let i = 0; i < 20; i++) {
      const channel = `brief:${++names}`;
      socket.send(`{"id":2,"subscribe":{"channel":"${channel}","recover":true}}`);
      socket.send(`{"id":3,"publish":{"channel":"${channel}","data":"${'x'.repeat(500)}"}}`);
      if (i % 2) socket.send(`{"id":4,"unsubscribe":{"channel":"${channel}"}}`);
      await saidOrClosed(socket);
    }
    socket.close();
  },
  (socket) => socket.send('{"id":2,"subscribe":{"channel":"feed:1","recover":true,"offset":1}}\nnonsense'),
  (socket) => socket.send('x'.repeat(70_000)),
  // Does not read, does not answer pings: ends with 3008, or goes.
  (socket) => {
    socket.send('{"id":2,"subscribe":{"channel":"feed:1"}}');
    socket.pause();
    setTimeout(() => socket.terminate(), 4000).unref();
  },
];

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

it(
  `keeps its memory flat under churn for ${SECONDS} s, and loses nothing for those who stay`,
  async () => {
    const steady = await Promise.all(Array.from({ length: 20 }, (_, i) => steadySubscriber(`steady${i}`)));
    const end = performance.now() + SECONDS * 1000;
    let published = 0;
    let lives = 0;
    const until = (at: number) => {
      const publish = async () => {
        while (performance.now() < at) {
          await call('publish', { channel: 'feed:1', data: { n: ++published, pad: 'x'.repeat(1000) } });
          await call('publish', { channel: `brief:${++names}`, data: 1 });
          await pause(2);
        }
      };
      const live = async () => {
        while (performance.now() < at) {
          const socket = await connect(`u${lives % 50}`);
          await LIVES[lives++ % LIVES.length]!(socket);
        }
      };
      const stayUnconnected = async () => {
        while (performance.now() < at) {
          const socket = new WebSocket(url);
          socket.on('error', () => {});
          await once(socket, 'open');
          await pause(50);
        }
      };
      return Promise.all([publish(), live(), live(), stayUnconnected()]);
    };

    await until(end - (SECONDS * 2000) / 3);
    const first = await heldBytes();
    await until(end);
    let last = await heldBytes();
    // What may still live for a moment: silent clients until their pong is due, streams until they are forgotten.
    for (
      const patience = performance.now() + AFTERLIFE_MS;
      last - first >= MAX_GROWTH_BYTES;
      last = await heldBytes()
    ) {
      if (performance.now() > patience) break;
      await pause(100);
    }

    console.log(
      `soak: ${lives} lives, ${published} publications; held ${mebibytes(first)} MiB after a third, ${mebibytes(last)} MiB at the end`,
    );

    await expect.poll(() => steady.every(({ offsets }) => offsets.length >= published)).toBe(true);
    for (const { offsets } of steady) expect(offsets).toEqual(Array.from({ length: published }, (_, i) => i + 1));
    for (const { socket } of steady) socket.terminate();
    expect(lives).toBeGreaterThan(SECONDS);
    expect(last - first).toBeLessThan(MAX_GROWTH_BYTES);
  },
  SECONDS * 1000 + 60_000,
);
