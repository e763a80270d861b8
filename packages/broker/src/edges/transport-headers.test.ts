import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Broker, startBroker } from '../broker.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A broker with all transports, and an application that lets everybody in and notes who came. */
async function start() {
  const seen: { transport: string; headers: IncomingHttpHeaders }[] = [];
  const app = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ transport: (JSON.parse(body) as { transport: string }).transport, headers: request.headers });
    response.end('{"result":{"user":"u"}}');
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => app.close(resolve)));
  const enabled = { enabled: true };
  const broker = await startBroker({
    port: 0,
    client: {
      proxy: {
        connect: {
          enabled: true,
          endpoint: `http://127.0.0.1:${(app.address() as AddressInfo).port}/`,
          httpHeaders: ['Cookie', 'X-Missing'],
        },
      },
    },
    httpStream: enabled,
    sse: enabled,
    uniSse: enabled,
    uniHttpStream: enabled,
    uniWebsocket: enabled,
    shutdown: { timeoutMs: 1000 },
  });
  ends.push(() => broker.close());
  return { broker, seen };
}

const headers = { cookie: 'a=b; c=d', 'x-other': 'o' };

/** Opens a stream and waits until something comes on it. */
function stream(path: string, method: string, body?: string) {
  return async ({ port }: Broker) => {
    const abort = new AbortController();
    const init = { method, headers, signal: abort.signal, ...(body === undefined ? {} : { body }) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const reader = response.body!.getReader();
    let text = '';
    while (!text.includes('"client"')) text += Buffer.from((await reader.read()).value ?? []).toString();
    abort.abort();
  };
}

/** Opens a WebSocket and waits until it is connected. */
function socket(path: string, connect: object) {
  return async ({ port }: Broker) => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    webSocket.on('open', () => webSocket.send(JSON.stringify(connect)));
    await new Promise((resolve) => webSocket.once('message', resolve));
    webSocket.close();
  };
}

const command = { id: 1, connect: {} };
const asQuery = encodeURIComponent(JSON.stringify(command));

it.each<[string, (broker: Broker) => Promise<void>]>([
  ['websocket', socket('/connection/websocket', command)],
  ['uni_websocket', socket('/connection/uni_websocket', {})],
  ['http_stream', stream('/connection/http_stream', 'POST', JSON.stringify(command))],
  ['sse', stream(`/connection/sse?cf_connect=${asQuery}`, 'GET')],
  ['uni_sse', stream('/connection/uni_sse', 'GET')],
  ['uni_http_stream', stream('/connection/uni_http_stream', 'POST', '{}')],
])('the application gets the listed headers of a client on %s', async (transport, connect) => {
  const { broker, seen } = await start();
  await connect(broker);
  expect(seen).toHaveLength(1);
  expect(seen[0]!.transport).toBe(transport);
  expect(seen[0]!.headers.cookie).toBe('a=b; c=d');
  for (const name of ['x-other', 'x-missing']) expect(seen[0]!.headers).not.toHaveProperty(name);
});
